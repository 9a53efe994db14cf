"""`lectern up` that cannot work: a sentence and exit code 2, before anything has started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess

import pytest
import requests
from tests.support.processes import eventually
from tests.support.running import ROOT, RunningHub, free_port, hub_env, open_folder


@pytest.fixture
def unborn():
    """A hub that was never started, in a folder of its own."""
    with open_folder() as folder:
        yield RunningHub(folder / "state", ROOT / "profiles", free_port())


def refused(hub, *arguments):
    """Return why `lectern up` refuses to start."""
    done = hub.lectern("up", *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Lectern is starting" not in done.stdout
    return done.stderr


def settings(hub, text):
    """Write the settings of a hub and return the option that names them."""
    file = hub.state.with_name("lectern.yaml")
    file.write_text(text)
    return f"--settings={file}"


@pytest.mark.parametrize("below", ["file", "file/deeper"])
def test_state_that_cannot_be_a_folder_is_refused(unborn, below):
    unborn.state.with_name("file").touch()
    unborn.state = unborn.state.with_name("file").parent / below
    assert "the state folder" in refused(unborn)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a small disk")
def test_state_on_a_full_disk_is_refused(unborn):
    disk = unborn.state.with_name("disk")
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=True)
    try:
        (disk / "filling").write_bytes(bytes(60 * 1024))
        unborn.state = disk / "state"
        assert "cannot be used" in refused(unborn)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql+pg8000://ann:geheim@127.0.0.1:1/lectern", "127.0.0.1"),
        ("postgresql+nothing://127.0.0.1/lectern", "nothing"),
    ],
)
def test_database_that_does_not_answer_is_refused_without_its_password(unborn, url, why):
    told = refused(unborn, settings(unborn, f"database: {url}\n"))
    assert "the database postgresql+" in told
    assert why in told
    assert "geheim" not in told


def test_database_file_that_is_none_is_refused(unborn):
    unborn.state.mkdir()
    (unborn.state / "jupyterhub.sqlite").write_text("no database, but some text\n" * 40)
    assert "file is not a database" in refused(unborn)


def test_password_file_that_cannot_be_written_is_refused(unborn):
    told = refused(unborn, settings(unborn, "login: {password_file: missing/passwords.yaml}\n"))
    assert "missing/passwords.yaml cannot be written" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: others are held to loopback before")
def test_address_that_this_machine_does_not_have_is_refused(unborn):
    told = refused(unborn, settings(unborn, "address: {host: 203.0.113.9, port: 8000}\n"))
    assert "the hub cannot listen at http://203.0.113.9:" in told


def test_report_about_a_broken_campus_is_printed_once(unborn):
    unborn.campus = unborn.state.with_name("campus")
    shutil.copytree(ROOT / "profiles", unborn.campus)
    (unborn.campus / "campus.yaml").write_text("languages: [en\n")
    assert refused(unborn).count("error[") == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_settings_named_from_where_one_stands_are_found(unborn, host):
    settings(unborn, f'address: {{host: "{host}", port: {unborn.port}}}\n')
    shown = f"[{host}]" if ":" in host else host
    command = unborn.command("up", "--settings", "lectern.yaml")
    with subprocess.Popen(
        command, cwd=unborn.state.parent, stdout=subprocess.PIPE, text=True, env=hub_env()
    ) as hub:
        try:
            assert f"http://{shown}:{unborn.port}/" in hub.stdout.readline()
            eventually(lambda: answers(f"http://{shown}:{unborn.port}"), "the hub did not come up")
        finally:
            hub.send_signal(signal.SIGINT)
            hub.stdout.read()


def answers(base):
    try:
        return requests.get(f"{base}/hub/login", timeout=5).status_code == 200
    except requests.RequestException:
        return False
