"""What a container of a process node is made of: command, user, view, volumes, logs."""

from __future__ import annotations

import asyncio
import os

import pytest

from cluster.process import logs, orders, sandbox
from cluster.process.environment import MissingError
from cluster.process.local import StartError
from cluster.process.logs import Wish, Writer
from cluster.process.records import pod_of
from cluster.process.sandbox import Identity, Mount, Plan
from cluster.process.settings import Settings
from cluster.process.volumes import Volume, host_path, mounts, object_files

PROGRAMS = {name: f"/bin/{name}" for name in ("bwrap", "setpriv", "env")}


def pairs(words: list[str]) -> list[tuple[str, ...]]:
    """Return options with the words after them."""
    return [tuple(words[at : at + 3]) for at, word in enumerate(words) if word.startswith("--")]


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"command": ["a", "$(X)"], "args": ["b"]}, ["a", "1", "b"]),
        ({"args": ["only", "$(NO)"]}, ["only", "$(NO)"]),
        ({"image": "reg/lab:1"}, ["start", "lab"]),
    ],
)
def test_the_command(container, words):
    assert orders.words_of(container, {"*/lab:*": ["start", "lab"]}, {"X": "1"}) == words


def test_a_container_without_a_command_is_refused():
    with pytest.raises(StartError, match="NoCommand.* one for other"):
        orders.words_of({"image": "other"}, {"lab": ["x"]}, {})


@pytest.mark.parametrize(
    ("pod", "container", "identity"),
    [
        ({}, {}, Identity(1000, 0)),
        ({"runAsUser": 5, "runAsGroup": 6}, {"runAsUser": 7}, Identity(7, 6)),
        ({"fsGroup": 9, "supplementalGroups": [8]}, {}, Identity(1000, 0, (8, 9))),
        ({"runAsNonRoot": True}, {}, Identity(1000, 0)),
        ({}, {"capabilities": {"drop": ["ALL"]}}, Identity(1000, 0, (), (), ("ALL",))),
    ],
)
def test_whom_a_container_runs_as(pod, container, identity):
    assert orders.identity(pod, container, 1000) == identity


def test_root_that_must_not_be_root_is_refused():
    with pytest.raises(MissingError, match="name a runAsUser"):
        orders.identity({"runAsNonRoot": True}, {"runAsUser": 0}, 1000)


@pytest.mark.parametrize(
    ("identity", "has", "has_not"),
    [
        (Identity(1000, 0, (), ("SYS_ADMIN",)), [], ["sys_admin", "chown"]),
        (Identity(0, 0), ["chown", "setuid"], ["sys_admin", "net_raw"]),
        (Identity(0, 0, (), ("NET_RAW",), ("CAP_CHOWN",)), ["net_raw"], ["chown,"]),
        (Identity(0, 0, (), ("SYS_TIME",), ("ALL",)), ["sys_time"], ["chown", "setuid"]),
    ],
)
def test_capabilities(identity, has, has_not):
    words = sandbox.as_user(Plan(["x"], identity, "h"), PROGRAMS)
    bounds = next(word for word in words if word.startswith("--bounding-set"))
    assert bounds.startswith("--bounding-set=-all")
    assert all(f"+{name}" in bounds for name in has)
    assert not any(f"+{name}" in bounds for name in has_not)
    assert "--no-new-privs" in words


def test_the_machine_is_seen_read_only_and_new_folders_are_made_room_for(tmp_path):
    (tmp_path / "etc" / "own").mkdir(parents=True)
    (tmp_path / "etc" / "file").write_text("x")
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    etc, new = f"{tmp_path}/etc", f"{tmp_path}/etc/new/deep"
    assert sandbox.view(tmp_path, []) == [
        "--symlink", "usr/bin", f"{tmp_path}/bin", "--ro-bind", etc, etc,
        "--ro-bind", f"{tmp_path}/usr", f"{tmp_path}/usr",
    ]  # fmt: skip
    words = sandbox.view(tmp_path, [new])
    assert ("--dir", etc, "--ro-bind") in pairs(words)
    assert ("--ro-bind", f"{etc}/file", f"{etc}/file") in pairs(words)
    assert ("--ro-bind", etc, etc) not in pairs(words)
    assert ("--ro-bind", etc, etc) in pairs(sandbox.view(tmp_path, [f"{etc}/own"]))


def test_mounts_come_from_the_outside_in_and_folders_above_them_are_open():
    mounted = [Mount("/s/b", "/run/a/b/c"), Mount("/s/a", "/run/a", is_readonly=True)]
    words = sandbox.command(Plan(["x"], Identity(1, 1), "h", mounted), PROGRAMS, 9)
    shown = pairs(words)
    assert shown.index(("--ro-bind", "/s/a", "/run/a")) < shown.index(
        ("--bind", "/s/b", "/run/a/b/c")
    )
    assert ("--perms", "0755", "--dir") in shown
    assert "/run/a/b" in words


def test_a_closed_root_has_no_place_to_write():
    words = sandbox.command(Plan(["x"], Identity(1, 1), "h", is_readonly=True), PROGRAMS, 9)
    assert ("--remount-ro", "/", "--") in pairs(words)
    assert ("--tmpfs", "/tmp") not in [row[:2] for row in pairs(words)]


def test_a_part_of_a_volume_stays_within_it(tmp_path):
    inside, outside = tmp_path / "v", tmp_path / "secret"
    inside.mkdir()
    outside.mkdir()
    (inside / "way").symlink_to(outside)
    volumes = {"v": Volume(inside), "ro": Volume(inside, is_readonly=True)}

    def mount(name: str, part: str) -> list[Mount]:
        row = {"name": name, "mountPath": "/m", "subPathExpr": part}
        return list(mounts({"volumeMounts": [row]}, volumes, {"WHO": "ann"}))

    assert mount("v", "home/$(WHO)") == [Mount(f"{inside}/home/ann", "/m")]
    assert (inside / "home" / "ann").is_dir()
    for part in ("../secret", "/etc", "way"):
        with pytest.raises(MissingError, match="volume"):
            mount("v", part)
    with pytest.raises(MissingError, match="is not in its volume"):
        mount("ro", "none")


def test_the_keys_of_an_object_that_are_named_must_be_there():
    content = {"data": {"a": "1", "b": "2"}}
    every = list(object_files(("configmaps", "m"), content, {}, 0o644))
    assert [(file.path, file.content) for file in every] == [("a", b"1"), ("b", b"2")]
    items = {"items": [{"key": "a", "path": "x/y", "mode": 0o400}]}
    file = next(object_files(("configmaps", "m"), content, items, 0o644))
    assert (file.path, file.mode) == ("x/y", 0o400)
    with pytest.raises(MissingError, match="has no key c"):
        list(object_files(("configmaps", "m"), content, {"items": [{"key": "c", "path": "c"}]}, 0))
    with pytest.raises(MissingError, match='secret "s" not found'):
        list(object_files(("secrets", "s"), None, {}, 0))
    assert not list(object_files(("secrets", "s"), None, {"optional": True}, 0))


def test_a_path_of_the_machine_is_what_its_type_says(tmp_path):
    made = host_path({"path": str(tmp_path / "new"), "type": "DirectoryOrCreate"})
    assert made.is_dir()
    assert host_path({"path": str(tmp_path / "file"), "type": "FileOrCreate"}).is_file()
    with pytest.raises(MissingError, match="is not a directory"):
        host_path({"path": str(tmp_path / "file"), "type": "Directory"})
    with pytest.raises(MissingError, match="is not a file"):
        host_path({"path": str(tmp_path / "none"), "type": "File"})


def pod(**spec):
    content = {"metadata": {"namespace": "ns", "name": "p", "uid": "u"}}
    return pod_of({**content, "spec": {"containers": [], **spec}}, whole=True)


def test_names_and_resolvers_of_a_pod():
    settings = Settings("k", "f", "s", "p", 1, "run", "127.64.0.0/16", dns="10.96.0.10")
    text = orders.hosts_text(
        pod(
            hostname="h", subdomain="sub", hostAliases=[{"ip": "1.2.3.4", "hostnames": ["x", "y"]}]
        ),
        "127.64.0.1",
        "cluster.local",
    )
    assert "127.64.0.1 h.sub.ns.svc.cluster.local h\n" in text
    assert "1.2.3.4 x y\n" in text
    assert "nameserver 10.96.0.10\nsearch ns.svc.cluster.local" in orders.resolver_text(
        pod(), settings
    )
    assert orders.resolver_text(pod(dnsPolicy="Default"), settings) is None
    config = {
        "nameservers": ["9.9.9.9"],
        "searches": ["a"],
        "options": [{"name": "ndots", "value": "2"}],
    }
    own = orders.resolver_text(pod(dnsPolicy="None", dnsConfig=config), settings)
    assert own == "nameserver 9.9.9.9\nsearch a\noptions ndots:2\n"


async def log_of(tmp_path, *pieces: bytes):
    path = tmp_path / "logs" / "0.log"
    writer = Writer(path, now=iter(range(1000)).__next__)
    reader = asyncio.StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    await writer.copy("stdout", reader)
    writer.close()
    return path


async def seen(path, **wish) -> bytes:
    return b"".join([text async for text in logs.read(path, Wish(**wish), lambda: False)])


async def test_a_log_is_given_as_it_was_said(tmp_path):
    said = b"one\ntwo\n\nno end"
    path = await log_of(tmp_path, said)
    assert await seen(path) == said
    assert await seen(path, tail=2) == b"\nno end"
    assert await seen(path, tail=0) == b""
    assert await seen(path, limit=5) == b"one\nt"
    assert await seen(path, since=2.0) == b"\nno end"
    assert await seen(path, stream="Stderr") == b""
    assert (await seen(path, timestamps=True)).startswith(b"1970-01-01T00:00:00.000000Z one\n")
    assert await seen(path, follow=True) == said
    assert logs.last_words(path, size=6) == "no end"


async def test_long_lines_are_whole_again_when_they_are_read(tmp_path):
    said = b"x" * (3 * logs.LONGEST_PART + 5) + b"\nend\n"
    path = await log_of(tmp_path, said)
    assert max(map(len, path.read_bytes().splitlines())) < logs.LONGEST_PART + 100
    assert await seen(path) == said


async def test_a_log_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LARGEST_FILE", 1000)
    path = await log_of(tmp_path, b"".join(b"%d\n" % number for number in range(200)))
    assert sum(os.path.getsize(file) for file in path.parent.iterdir()) < 2100
    assert (await seen(path)).endswith(b"198\n199\n")


def test_wishes_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="invalid"):
        Wish.parse({"tailLines": "x"}, 0.0)
    assert Wish.parse({"sinceSeconds": "5"}, 100.0).since == 95.0
    assert Wish.parse({"sinceTime": "1970-01-01T00:00:07Z"}, 0.0).since == 7.0
