"""How long the fuzz targets run: a minute in all, or as long as is wanted."""

from __future__ import annotations

import pytest

DEFAULT_SECONDS = 60.0
TARGETS = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz-seconds", type=float, metavar="N", help="how long all fuzz targets take together"
    )


@pytest.fixture
def seconds(pytestconfig: pytest.Config) -> float:
    """Seconds for one target."""
    # The option is only known when pytest was started for this folder.
    wanted = pytestconfig.getoption("--fuzz-seconds", None)
    return (DEFAULT_SECONDS if wanted is None else wanted) / TARGETS
