"""A hub that ends or dies, and the one that comes after it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys

import pytest
import requests
from tests.support.kernel import Kernel
from tests.support.pages import Offers, news
from tests.support.processes import RESERVED, eventually, of_folder, runs
from tests.support.running import ROOT, free_port, hub_env, open_folder, running_hub


@pytest.fixture(scope="module")
def lasting():
    """A hub on a campus of its own, for tests that end it."""
    with open_folder() as folder:
        campus = shutil.copytree(ROOT / "profiles", folder / "profiles")
        with running_hub(campus) as hub:
            yield hub


@pytest.fixture
def up(lasting):
    if lasting.process.poll() is not None:
        lasting.up()
    yield lasting
    if lasting.process.poll() is None:
        for name in ("alice", "bob"):
            api = lasting.api(name)
            for server in api.call("GET", f"/users/{name}").json()["servers"]:
                api.stop(name, server)


def leader_of(hub, name):
    """Return the pid that the hub has stored for a person's server."""
    return stored(hub, name)["pid"]


def stored(hub, name):
    with contextlib.closing(sqlite3.connect(hub.state / "jupyterhub.sqlite")) as database:
        (state,) = database.execute(
            "SELECT s.state FROM spawners s JOIN users u ON u.id = s.user_id WHERE u.name = ?",
            (name,),
        ).fetchone()
    return json.loads(state)


def started(hub, name, profile="py-100/small"):
    api = hub.api(name)
    assert api.start(name, profile).status_code in (201, 202)
    api.wait(name)
    return api


def test_servers_live_through_the_death_of_their_hub(up):
    api = started(up, "alice")
    with Kernel(up.base, api.token, "alice") as kernel:
        kernel.run("kept = 6 * 7")
        pid = leader_of(up, "alice")
    up.kill()
    assert runs(pid)
    up.up()
    with news(up):
        assert up.api("alice").server("alice")["ready"]
        assert leader_of(up, "alice") == pid
        with Kernel(up.base, api.token, "alice", id=kernel.id) as same:
            assert same.run("print(kept)").text == "42\n"
        api.stop("alice")
    assert not runs(pid)


def test_servers_that_ended_without_a_hub_are_not_taken_for_running(up):
    api = started(up, "alice")
    pid = leader_of(up, "alice")
    up.kill()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not runs(pid), "the server did not die")
    up.up()
    assert not api.server("alice")
    started(up, "alice")


def test_a_recycled_pid_is_neither_a_server_nor_killed(up):
    api = started(up, "alice")
    real = leader_of(up, "alice")
    up.kill()
    os.kill(real, signal.SIGKILL)
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        database = sqlite3.connect(up.state / "jupyterhub.sqlite")
        with contextlib.closing(database), database:
            changed = stored(up, "alice") | {"pid": stranger.pid}
            database.execute(
                "UPDATE spawners SET state = ? WHERE user_id ="
                " (SELECT id FROM users WHERE name = 'alice')",
                (json.dumps(changed),),
            )
        up.up()
        assert not api.server("alice")
        api.call("DELETE", "/users/alice/server")
        started(up, "alice")
        api.stop("alice")
        assert up.down() == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("how", ["terminal", "hub alone", "terminate"])
def test_the_end_of_the_hub_stops_everything(up, how):
    for name in ("alice", "bob"):
        assert up.api(name).start(name, "py-100/small").status_code in (201, 202)
    for name in ("alice", "bob"):
        up.api(name).wait(name)
    pids = [leader_of(up, name) for name in ("alice", "bob")]
    if how == "terminal":  # Ctrl-C goes to every process of the terminal's foreground
        os.killpg(up.process.pid, signal.SIGINT)
        up.process.wait(40)
    else:
        up.down(signal.SIGINT if how == "hub alone" else signal.SIGTERM)
    assert [pid for pid in pids if runs(pid)] == []
    assert of_folder(up.state) == {}
    if os.geteuid() == 0:
        owners = {home.stat().st_uid for home in (up.state / "homes").iterdir()}
        assert owners <= set(RESERVED)
    with pytest.raises(requests.ConnectionError):
        requests.get(up.base, timeout=5)
    assert "Traceback" not in up.log
    assert "Traceback" not in up.output.read_text()


def test_second_start_finds_homes_accounts_passwords_and_last_choice(up):
    api = started(up, "alice")
    text = {"type": "file", "format": "text", "content": "kept"}
    api.file("PUT", "alice", "kept.txt", json=text)
    api.stop("alice")
    home = up.state / "homes" / "alice"
    before = (home.stat().st_ino, home.stat().st_uid, up.passwords)
    up.down()
    up.up()
    assert (home.stat().st_ino, home.stat().st_uid, up.passwords) == before
    assert Offers(up.visitor("alice").get("/hub/spawn").text).last_used == ["py-100/small"]
    assert api.call("POST", "/users/alice/server").status_code in (201, 202)  # tokens live on
    api.wait("alice")
    assert api.file("GET", "alice", "kept.txt").json()["content"] == "kept"


def test_remembered_choice_is_refused_after_the_right_was_lost(up):
    course = up.campus / "dl-301.yaml"
    text = course.read_text(encoding="utf-8")
    api = started(up, "bob", "dl-301/notebook")
    api.stop("bob")
    up.down()
    course.write_text(text.replace("students: [bob, ", "students: ["), encoding="utf-8")
    try:
        up.up()
        for body in (None, "{}"):
            with news(up) as told:
                answer = api.call("POST", "/users/bob/server", data=body)
            assert answer.status_code == 404, (body, answer.text)
            assert "There is no profile “dl-301/notebook” among yours" in answer.json()["message"]
            told.once("no profile “dl-301/notebook”")
        page = Offers(up.visitor("bob").get("/hub/spawn").text)
        assert page.last_used == []
        assert "dl-301" not in page.courses
        assert not api.server("bob")
    finally:
        course.write_text(text, encoding="utf-8")
        up.down()


def test_second_hub_on_one_state_folder_refuses(up):
    second = up.lectern("up", "--port", str(free_port()))
    assert second.returncode == 2
    assert str(up.state) in second.stderr
    assert "already runs" in second.stderr
    assert requests.get(f"{up.base}/hub/login", timeout=30).status_code == 200
    started(up, "alice")  # the refused one took nothing away, such as cgroups


def test_asked_port_that_is_taken_is_an_error_in_words(up):
    up.down()
    with socket.create_server(("127.0.0.1", up.port)):
        refused = up.lectern("up", "--port", str(up.port))
    assert refused.returncode == 2
    assert f"port {up.port} is taken" in refused.stderr
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_port_of_the_settings_that_is_taken_is_an_error_in_words(up, tmp_path):
    up.down()
    settings = tmp_path / "lectern.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings.write_text(f"address: {{port: {port}}}\n")
        refused = up.lectern("up", "--settings", str(settings))
    assert refused.returncode == 2
    assert f"port {port} is taken" in refused.stderr


def test_default_port_that_is_taken_gives_way_to_the_next(up):
    up.down()
    with contextlib.ExitStack() as taken:
        with contextlib.suppress(OSError):  # or somebody else has it: as good
            taken.enter_context(socket.create_server(("127.0.0.1", 8000)))
        command = up.command("up")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=hub_env()
        ) as hub:
            address = hub.stdout.readline().split()[-1]
            try:
                eventually(lambda: answers(address), "the hub did not come up")
            finally:
                hub.send_signal(signal.SIGINT)
                hub.stdout.read()
    assert address.startswith("http://127.0.0.1:")
    assert 8000 < int(address.rstrip("/").rpartition(":")[2]) < 8100


def answers(address):
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{address}hub/login", timeout=5).status_code == 200
    return False


def test_state_in_a_folder_that_accounts_cannot_reach_is_refused(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: only then have people accounts of their own")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    refused = subprocess.run(
        [sys.executable, "-m", "lectern_hub.cli", "up", "--state", str(closed / "state"),
         "--campus", str(ROOT / "profiles"), "--port", str(free_port())],
        capture_output=True, text=True, check=False, timeout=60, env=hub_env(),
    )  # fmt: skip
    assert refused.returncode == 2
    assert "cannot reach" in refused.stderr
    assert "Traceback" not in refused.stderr
