"""Two tests at a time, where that is safe: `make test` runs them in two processes.

Most tests wait: for servers to start, for pods, for pages. Hubs with their people are
one lane and clusters another, each in its own order and with its own fixtures;
every other file is a lane of its own and goes to whoever has nothing to do.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

FOLDERS = {
    "tests/local": "people",
    "tests/e2e": "people",
    "tests/cluster": "clusters",
    "tests/images": "clusters",
    "tests/kubernetes": "clusters",
    "tests/slow": "clusters",
}


def lane(nodeid: str) -> str:
    """Return what a test must not run beside."""
    file = nodeid.partition("::")[0]
    return FOLDERS.get("/".join(file.split("/")[:2]), file)


class Lanes(LoadScopeScheduling):
    """Gives whole lanes to processes, long ones first."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> Lanes:
    return Lanes(config, log)
