"""lectern.yaml, password files, ports and the choice of a database."""

from __future__ import annotations

import json
import os
import socket
import stat

import pytest

from lectern_hub import database, passwords, ports
from lectern_hub.settings import load_settings
from lectern_spawner.catalog import CatalogError
from lectern_spawner.catalog.render import concise


def settings(tmp_path, text):
    file = tmp_path / "lectern.yaml"
    file.write_text(text)
    return load_settings(file)


def problems(tmp_path, text) -> str:
    with pytest.raises(CatalogError) as caught:
        settings(tmp_path, text)
    return concise(caught.value.diagnostics)


def test_without_a_file_there_is_a_safe_default():
    found = load_settings(None)
    assert (found.admins, found.host, found.port) == ({"admin"}, "127.0.0.1", 8000)
    assert not found.port_is_set


def test_settings_are_read_and_normalised(tmp_path):
    found = settings(tmp_path, "admins: [Ops]\naddress: {port: 9000}\n")
    assert (found.admins, found.port, found.port_is_set) == ({"ops"}, 9000, True)


def test_course_files_are_watched_unless_somebody_wants_them_looked_at(tmp_path):
    found = load_settings(None)
    assert (found.poll, found.every_seconds) == (False, 5.0)
    found = settings(tmp_path, "catalog: {watch: poll, every: 1m30s}\n")
    assert (found.poll, found.every_seconds) == (True, 90.0)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("admin: [x]\n", ":1:1:", "unknown key `admin`"),
        ("admins: [root]\n", ":1:10:", "system"),
        ("address: {port: 99999}\n", ":1:17:", "address.port"),
        ("address: {host: example}\n", ":1:17:", "not an IP address"),
        ("database: nonsense\n", ":1:11:", "not a database URL"),
        ("extra_config: none.py\n", ":1:15:", "not a file"),
        ("catalog: {watch: inotify}\n", ":1:18:", "cannot be `inotify`"),
        ("catalog: {every: 5}\n", ":1:18:", "length of time"),
        ("catalog: {every: 0s}\n", ":1:18:", "more than 0"),
    ],
)
def test_a_mistake_is_reported_at_its_place(tmp_path, text, place, words):
    report = problems(tmp_path, text)
    assert f"lectern.yaml{place}" in report
    assert words in report


def test_an_ordinary_user_cannot_open_the_hub_to_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "loopback" in problems(tmp_path, 'address: {host: "0.0.0.0"}\n')
    assert settings(tmp_path, 'address: {host: "::1"}\n').host == "::1"


def test_passwords_are_generated_once_and_closed(tmp_path):
    file = tmp_path / "passwords.yaml"
    first = passwords.load(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = passwords.load(file)
    assert (first.students, first.staff, first.admins) == (
        again.students,
        again.staff,
        again.admins,
    )
    assert len({first.students, first.staff, first.admins}) == 3


@pytest.mark.parametrize(
    ("mode", "text", "says"),
    [
        (0o644, "students: abcdefgh\n", "chmod 600"),
        (0o600, "students: short\nstaff: x\nadmins: y\n", "students"),
        (0o600, f"students: secret-word\nstaff: secret-word\nadmins: {'a' * 32}\n", "differ"),
        (0o600, "students: [secret-word\n", "passwords.yaml"),
    ],
)
def test_a_bad_password_file_is_refused_without_showing_it(tmp_path, mode, text, says):
    file = tmp_path / "passwords.yaml"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(passwords.PasswordFileError) as caught:
        passwords.load(file)
    assert says in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_sqlite_is_refused_on_a_network_file_system(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "30 22 0:40 / /mnt/my\\040home rw,relatime shared:1 - nfs4 nas:/home rw\n"
    )
    assert database.file_system(tmp_path, mounts) == "ext4"
    kind = database.file_system(database.Path("/mnt/my home/hub"), mounts)
    assert kind == "nfs4"
    monkeypatch.setattr(database, "file_system", lambda _: kind)
    with pytest.raises(database.NetworkDiskError, match="PostgreSQL"):
        database.sqlite_url(tmp_path)


def test_ports_are_chosen_once(tmp_path):
    file = tmp_path / "ports.json"
    first = ports.load(file)
    assert ports.load(file) == first
    file.write_text("{broken")
    assert ports.load(file).hub > 0
    assert json.loads(file.read_text())["hub"] > 0


def test_a_taken_port_is_stepped_over_or_refused(tmp_path):
    file = tmp_path / "ports.json"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen = ports.choose_public(file, "127.0.0.1", port, exactly=False, ours=False)
        assert chosen > port
        with pytest.raises(ports.PortTakenError, match=f"port {port} is taken"):
            ports.choose_public(file, "127.0.0.1", port, exactly=True, ours=False)


def test_a_pid_file_that_names_something_else_is_removed(tmp_path):
    file = tmp_path / "proxy.pid"
    file.write_text(str(os.getpid()))
    assert not ports.proxy_runs(file)
    assert not file.exists()
