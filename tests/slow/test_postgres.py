"""JupyterHub's records in PostgreSQL: the same hub with `database:` in lectern.yaml."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.running import ROOT, free_port, open_folder, running_hub

pytestmark = pytest.mark.slow

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def programs() -> Path:
    """Return the folder with PostgreSQL's own programs, installing Debian's where it is missing."""
    place = Path("/usr/lib/postgresql")
    if not place.exists():
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"]
        subprocess.run(install, check=True, capture_output=True)
    return max(place.glob("*/bin"))


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server of the test's own and yield the URL of an empty database."""
    with open_folder(owner=65534) as folder:
        bin_folder, data, port = programs(), folder / "data", free_port()
        made = [bin_folder / "initdb", "--auth=trust", "--username=lectern", data]
        subprocess.run([*AS_NOBODY, *made], check=True, capture_output=True, cwd=folder)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        control = [*AS_NOBODY, bin_folder / "pg_ctl", "-D", data, "-l", folder / "log", "-w"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        subprocess.run([*control, "-o", options, "start"], check=True, **quiet)
        try:
            yield f"postgresql+pg8000://lectern@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with postgres() as url:
        folder = tmp_path_factory.mktemp("site")
        campus = folder / "profiles"
        shutil.copytree(ROOT / "profiles", campus)
        (folder / "lectern.yaml").write_text(f"database: {url}\n")
        with running_hub(campus) as running:
            yield running


def test_a_student_works_and_the_next_hub_still_knows_it(hub):
    hub.visitor("alice")
    api = hub.api("alice")
    started = api.call("POST", "/users/alice/server", json={"profile": "ml-101/notebook"})
    assert started.status_code in (201, 202), started.text
    api.wait("alice")
    hub.kill()
    hub.up()
    api.wait("alice")
    assert api.server("alice")["user_options"] == {"profile": "ml-101/notebook"}
    assert not (hub.state / "jupyterhub.sqlite").exists()
    api.call("DELETE", "/users/alice/server")
    api.wait("alice", ready=False)
