"""The pieces of the local backend that can be looked at one by one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import pytest

from lectern_spawner.accounts import FIRST_UID, Account, AccountError, Accounts
from lectern_spawner.local import cgroups, homes, passwd, ports, process
from lectern_spawner.local.process import ProcessId
from lectern_spawner.plan import Mount

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="acts for other accounts")


@pytest.fixture
def opened(tmp_path):
    """Open tables of one hub that are closed after the test."""
    with contextlib.ExitStack() as tables:

        def open_table():
            table = Accounts(tmp_path / "uids.sqlite", tmp_path / "homes")
            tables.callback(table.close)
            return table

        yield open_table


def mounted(name, path):
    return Mount(name=name, storage="nas", inside=f"/{name}", path=path, in_pods=False)


@pytest.fixture
def table(opened):
    return opened()


def test_a_person_keeps_one_uid_and_nobody_shares_it(table):
    first = [table.get(name).uid for name in ("alice", "bob", "李雷", "alice")]
    assert first == [FIRST_UID, FIRST_UID + 1, FIRST_UID + 2, FIRST_UID]


def test_uids_survive_a_new_start(table, opened):
    table.get("alice"), table.get("bob")
    again = opened()
    assert again.get("carol").uid == FIRST_UID + 2
    assert again.get("bob").uid == FIRST_UID + 1


def test_a_given_uid_is_on_the_disk_before_it_is_used(opened, monkeypatch):
    connections, connect = [], sqlite3.connect

    def remembered(*where, **how):
        connections.append(connect(*where, **how))
        return connections[-1]

    monkeypatch.setattr(sqlite3, "connect", remembered)
    opened().get("alice")
    full = 2  # see sqlite.org, PRAGMA synchronous
    assert connections[0].execute("PRAGMA synchronous").fetchone() == (full,)


def test_many_at_once_get_different_uids(tmp_path, table):
    given: list[int] = []

    def ask(number: int) -> None:
        own = Accounts(tmp_path / "uids.sqlite", tmp_path / "homes")
        given.append(own.get(f"p{number}").uid)
        own.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(FIRST_UID, FIRST_UID + 20))


def test_a_system_account_is_nobodys_account(table):
    with pytest.raises(AccountError, match="system account"):
        table.get("daemon")


@root_only
def test_a_lost_table_gives_no_uid_that_a_home_has(tmp_path, opened):
    home = tmp_path / "homes" / "zoe"
    home.mkdir(parents=True)
    os.chown(home, FIRST_UID + 7, FIRST_UID + 7)
    table = opened()
    assert table.get("new").uid == FIRST_UID + 8
    assert table.get("zoe").uid == FIRST_UID + 7


def test_the_passwd_of_a_server_has_the_person_once(tmp_path):
    text = passwd.passwd_text(Account(name="games2", uid=FIRST_UID), tmp_path, "G: two\n")
    lines = text.splitlines()
    assert lines[-1] == f"games2:x:{FIRST_UID}:{FIRST_UID}:G  two :{tmp_path}:/bin/bash"
    assert lines[0].startswith("root:")
    groups = passwd.group_text(Account(name="adm2", uid=FIRST_UID), "root:x:0:eve\nadm2:x:9:\n")
    assert groups == f"root:x:0:\nadm2:x:{FIRST_UID}:\n"


def test_a_home_is_made_closed_and_links_its_data(tmp_path):
    data = tmp_path / "sets"
    data.mkdir()
    mount = mounted("iris", data)
    home = homes.prepare(tmp_path, "alice", None, [mount])
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "data/iris").resolve() == data.resolve()


def test_what_somebody_put_in_the_way_of_a_link_stays(tmp_path):
    homes.prepare(tmp_path, "alice", None, [])
    own = tmp_path / "alice" / "data" / "iris"
    own.mkdir(parents=True)
    (own / "mine.txt").write_text("mine")
    mount = mounted("iris", tmp_path)
    homes.prepare(tmp_path, "alice", None, [mount])
    assert (own / "mine.txt").read_text() == "mine"


def test_a_data_folder_that_leads_elsewhere_is_not_followed(tmp_path):
    homes.prepare(tmp_path, "alice", None, [])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "alice" / "data").symlink_to(elsewhere)
    homes.prepare(tmp_path, "alice", None, [mounted("x", tmp_path)])
    assert list(elsewhere.iterdir()) == []


def test_a_home_that_is_a_link_or_a_file_is_refused(tmp_path):
    (tmp_path / "alice").symlink_to(tmp_path)
    (tmp_path / "bob").write_text("")
    for name in ("alice", "bob"):
        with pytest.raises(homes.HomeError, match="not a folder"):
            homes.prepare(tmp_path, name, None, [])


def fake_proc(folder: Path, mounts: str, groups: str) -> Path:
    (folder / "mounts").write_text(mounts)
    (folder / "cgroup").write_text(groups)
    return folder


def test_cgroup_v2_files_get_quota_and_memory(tmp_path):
    hierarchy = cgroups.Hierarchy(2, dict.fromkeys(("cpu", "memory", "pids"), tmp_path))
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "memory.swap.max").write_text("max")
    made = hierarchy.make("s", Fraction(3, 2), 2**30)
    written = {file.name: file.read_text() for file in made.folders[0].iterdir()}
    assert written == {
        "cpu.max": "150000 100000",
        "memory.max": str(2**30),
        "memory.swap.max": "0",
        "pids.max": str(cgroups.MOST_PROCESSES),
    }


def test_a_machine_without_delegation_has_no_hierarchy(tmp_path):
    proc = fake_proc(tmp_path, "proc /proc proc rw 0 0\n", "0::/user.slice\n")
    assert cgroups.find("lectern", proc) is None


def test_deaths_by_memory_are_read_in_both_versions(tmp_path):
    for name, text in (
        ("memory.events", "low 0\noom 2\noom_kill 3\n"),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
    ):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_text(text)
        assert cgroups.Slice((folder,)).out_of_memory_kills() == 3
    assert cgroups.Slice((tmp_path,)).out_of_memory_kills() == 0


def test_a_process_is_known_by_more_than_its_number():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = ProcessId.of(child.pid)
    assert known.alive
    assert not ProcessId(child.pid, "another boot:1").alive
    child.communicate(b"\n")
    assert not known.alive
    assert ProcessId.of(child.pid) is None


async def test_the_end_of_a_process_is_noticed():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"])
    await asyncio.wait_for(process.ended(ProcessId.of(child.pid)), 30)
    assert child.wait() == 0
    await asyncio.wait_for(process.ended(ProcessId(child.pid, "gone")), 30)


async def test_everything_that_a_server_started_ends_with_it(tmp_path):
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    env = os.environ | {process.MARK: "7-default-abc"}
    leader = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=env)
    child = ProcessId.of(int(leader.stdout.readline()))
    gone = await process.end(ProcessId.of(leader.pid), "7-default-abc", None, patience_seconds=0.2)
    leader.communicate()
    assert gone
    assert not child.alive


def test_only_the_end_of_a_log_is_shown(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"x\xff" * 50_000 + b"\n" + b"\n".join(b"line %d" % n for n in range(40)))
    shown = process.last_lines(log).splitlines()
    assert (len(shown), shown[-1]) == (12, "line 39")
    assert process.last_lines(tmp_path / "none") == ""


def test_ports_are_given_in_turn_and_taken_ones_are_left_out():
    first = ports.free_port("127.0.0.1")
    with socket.socket() as taken:
        for following in range(first + 1, first + 50):
            try:
                taken.bind(("127.0.0.1", following))
            except OSError:
                continue
            break
        taken.listen()
        given = {ports.free_port("127.0.0.1") for _ in range(60)}
        assert taken.getsockname()[1] not in given
        assert len(given) == 60
    assert first not in given


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("kernel_tells", [True, False])
def test_who_gets_connections_to_a_port_is_known(family, kernel_tells, monkeypatch):
    if not kernel_tells:
        monkeypatch.setattr(ports, "_NETLINK_SOCK_DIAG", 999)
    with socket.socket(family) as mine:
        mine.bind(("", 0))
        port = mine.getsockname()[1]
        assert ports.listeners("127.0.0.1", port) == set()
        mine.listen()
        assert ports.listeners("127.0.0.1", port) == {os.geteuid()}


@root_only
def test_a_listener_of_somebody_else_is_seen():
    program = (
        "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "print(s.getsockname()[1], flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-I", "-c", program],
        user=4321,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        port = int(other.stdout.readline())
        assert ports.listeners("127.0.0.1", port) == {4321}
        other.communicate("\n")
