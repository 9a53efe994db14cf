"""What a profile promises is what its server gets, and nothing outlives a stop."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from tests.support.browserless import text_of
from tests.support.kernel import Kernel
from tests.support.pages import news
from tests.support.processes import eventually, of_folder, runs, with_words

CGROUPS = Path("/sys/fs/cgroup")
# How often JupyterHub looks whether a server still runs, if nothing tells it earlier.
POLL_SECONDS = 30
CONFIG = ".jupyter/jupyter_server_config.py"
BUSY_PROCESSES = """
import resource, subprocess, sys, time
code = "import time\\nend = time.monotonic() + 4\\nwhile time.monotonic() < end: pass"
began = time.monotonic()
for busy in [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]:
    busy.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) / (time.monotonic() - began))
"""
BUSY_THREADS = """
import hashlib, threading, time
def work():
    while time.monotonic() < end:
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 20_000)  # lets go of the interpreter lock
began, used = time.monotonic(), time.process_time()
end = began + 4
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print((time.process_time() - used) / (time.monotonic() - began))
"""
SPREAD = """
import subprocess, sys, time
code = "x = b'1' * (int(sys.argv[1]) * 2**20); input()"
command = [sys.executable, "-c", "import sys; " + code]
many = []
for size in (300, 300, 300, 300):
    many.append(subprocess.Popen([*command, str(size)], stdin=subprocess.PIPE))
    time.sleep(1)
print(sum(one.poll() is None for one in many))
"""
RUNAWAYS = """
import os, signal, subprocess, sys, time
code = '''
import os, signal, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
open(sys.argv[1], "a").write(f"{os.getpid()}\\\\n")
time.sleep(600)
'''
for number in range(3):  # two of them without the mark that their server gave them
    subprocess.run([sys.executable, "-c", code, "runaways"], env={} if number else None)
for _ in range(200):
    subprocess.Popen(["sleep", "600"], start_new_session=True)
while len(open("runaways").readlines()) < 3:
    time.sleep(0.05)
print(os.getuid(), open("runaways").read())
"""


@pytest.fixture
def started(hub):
    """Start servers, and stop them in the end."""
    running = []

    def start(name, profile, server=""):
        api = hub.api(name)
        answer = api.start(name, profile, server)
        assert answer.status_code in (201, 202), answer.text
        running.append((api, name, server))
        api.wait(name, server)
        return api

    with news(hub):
        yield start
        for api, name, server in running:
            if api.server(name, server):
                api.stop(name, server)


@pytest.fixture(scope="module")
def enforced(hub):
    """Whether this machine enforces limits for whole servers, as the page tells people."""
    page = text_of(hub.visitor("alice").get("/hub/spawn").text)
    if "This machine cannot limit CPU" in page or "Memory is limited for each program" in page:
        pytest.skip("no cgroup is delegated here, as the spawn page says")


def kernel_of(hub, api, name):
    return Kernel(hub.base, api.token, name)


def of_servers(hub, file):
    """Return a file of every cgroup that this hub has made for a server."""
    label = "lectern-" + hashlib.sha256(str(hub.state).encode()).hexdigest()[:8]
    return list(CGROUPS.glob(f"**/{label}/*/{file}"))


@pytest.mark.usefixtures("enforced")
def test_too_much_memory_ends_the_kernel_with_a_sentence_and_nobody_else(hub, started):
    alice, bob = started("alice", "ml-101/notebook"), started("bob", "ml-101/notebook")
    with kernel_of(hub, alice, "alice") as greedy, kernel_of(hub, bob, "bob") as neighbour:
        greedy.run("1")
        neighbour.run("kept = 6 * 7")
        pid = neighbour.run("import os; print(os.getpid())").text
        outcome = greedy.run("x = b'1' * (1536 * 2**20)", until="restarting")
        assert "needed more memory than ml-101/notebook has, which is 1 GiB." in outcome.text
        assert neighbour.run("import os; print(kept, os.getpid())").text == f"42 {pid}"
        assert alice.server("alice")["ready"]


@pytest.mark.usefixtures("enforced")
def test_memory_of_many_processes_counts_together(hub, started):
    alice = started("alice", "py-100/small")
    with kernel_of(hub, alice, "alice") as kernel:
        kernel.run("1")
        # Memory is taken step by step, so that what grew most is what goes.
        left = kernel.run(SPREAD).text
    assert int(left.split()[-1]) < 4
    assert alice.server("alice")["ready"]


@pytest.mark.usefixtures("enforced")
@pytest.mark.parametrize("code", [BUSY_PROCESSES, BUSY_THREADS], ids=["processes", "threads"])
def test_two_busy_ones_share_the_one_cpu_of_the_profile(hub, started, code):
    alice = started("alice", "ml-101/notebook")
    with kernel_of(hub, alice, "alice") as kernel:
        cores = float(kernel.run(code).text)
    assert 0.2 < cores <= 1.1


@pytest.mark.usefixtures("enforced")
def test_stop_ends_whatever_the_server_left_behind(hub, started):
    alice = started("alice", "ml-101/notebook")
    with kernel_of(hub, alice, "alice") as kernel:
        _, *loose = map(int, kernel.run(RUNAWAYS).text.split())
    assert len(loose) == 3
    assert all(runs(pid) for pid in loose)
    alice.stop("alice")
    assert [pid for pid in loose if runs(pid)] == []
    assert of_folder(hub.state / "homes" / "alice") == {}
    assert [file for file in of_servers(hub, "cgroup.procs") if file.read_text()] == []


@pytest.mark.usefixtures("enforced")
def test_many_forks_have_a_limit_of_their_own_and_end_with_the_server(hub, started):
    alice, bob = started("alice", "ml-101/project"), started("bob", "py-100/small")
    forks = (
        "import os, subprocess\n"
        "subprocess.Popen(['sh', '-c', 'for i in $(seq 1500); do sleep 601 & done; wait'])\n"
        "print('begun')"
    )
    with kernel_of(hub, bob, "bob") as neighbour, kernel_of(hub, alice, "alice") as kernel:
        assert kernel.run(forks).text == "begun\n"
        mark = "sleep\x00601"
        eventually(lambda: len(with_words(mark)) >= 1500, "the forks did not come")
        assert neighbour.run("print(6 * 7)").text == "42\n"
    limits = [file.read_text().strip() for file in of_servers(hub, "pids.max")]
    assert limits
    assert all(limit.isdecimal() for limit in limits)
    alice.stop("alice")
    assert with_words(mark) == []
    assert of_folder(hub.state / "homes" / "alice") == {}


@pytest.fixture(scope="module")
def lived_in(hub):
    """A home that was used before."""
    api = hub.api("carol")
    api.start("carol", "py-100/small")
    api.wait("carol")
    api.file("PUT", "carol", ".jupyter", json={"type": "directory"})
    api.stop("carol")
    return hub.state / "homes" / "carol"


@pytest.fixture
def broken_home(lived_in):
    """Break a person's own configuration; it notes when the server died of it."""
    config = lived_in / CONFIG
    config.parent.mkdir(exist_ok=True)
    config.write_text(
        "import pathlib, time\n"
        "pathlib.Path.home().joinpath('died').write_text(str(time.time()))\n"
        "print('first words <b>of</b> the end', flush=True)\n"
        "raise SystemExit('boom {x.__class__}')\n"
    )
    owner = lived_in.stat()
    for path in (config.parent, config):
        os.chown(path, owner.st_uid, owner.st_gid)
    yield lived_in
    config.unlink()


def test_early_death_is_told_at_once_with_the_last_words(hub, broken_home):
    api = hub.api("carol")
    with news(hub):
        told = api.refusal("carol", api.start("carol", "py-100/small"))
        told_at = time.time()
    died_at = float((broken_home / "died").read_text())
    assert "boom {x.__class__}" in told
    assert "first words" in told
    assert told_at - died_at < POLL_SECONDS / 2
    assert not api.server("carol")


def test_early_death_is_told_on_the_page_too(hub, broken_home):
    carol = hub.visitor("carol")
    with news(hub):
        page = carol.start("py-100/small")
        while "is starting" in page.text:  # as the browser does, which reloads this page
            time.sleep(0.1)
            page = carol.get("/hub/spawn-pending/carol")
        told_at = time.time()
    died_at = float((broken_home / "died").read_text())
    assert "boom {x.__class__}" in text_of(page.text)
    assert "first words <b>of</b> the end" in text_of(page.text)
    assert "<b>of</b>" not in page.text
    assert told_at - died_at < POLL_SECONDS / 2


def test_start_works_again_when_the_cause_is_gone(hub, broken_home):
    api = hub.api("carol")
    with news(hub):
        api.refusal("carol", api.start("carol", "py-100/small"))
        (broken_home / CONFIG).write_text("")
        assert api.start("carol", "py-100/small").status_code in (201, 202)
        api.wait("carol")
    api.stop("carol")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives a home to somebody else")
def test_home_of_somebody_else_is_never_used(hub):
    api, home = hub.api("zhao"), hub.state / "homes" / "zhao"
    home.mkdir()
    os.chown(home, 12345, 12345)
    with news(hub):
        answer = api.start("zhao", "ml-101/notebook")
    assert answer.status_code >= 400
    assert "belongs to uid 12345" in answer.json()["message"]
    assert home.stat().st_uid == 12345
    home.rmdir()
    api.start("zhao", "ml-101/notebook")
    api.wait("zhao")
    api.stop("zhao")


def test_death_of_a_server_leaves_nothing_behind(hub, started, enforced):
    alice = started("alice", "ml-101/notebook")
    with kernel_of(hub, alice, "alice") as kernel:
        _, *loose = map(int, kernel.run(RUNAWAYS).text.split())
        leader = int(kernel.run("import os; print(os.getppid())").text)
    os.kill(leader, 9)
    eventually(lambda: not runs(leader), "the server did not die")
    # Its threads may take a moment to end after it.
    eventually(
        lambda: alice.start("alice", "ml-101/notebook").status_code in (201, 202),
        "a dead server was taken for a running one",
    )
    alice.wait("alice")
    assert [pid for pid in loose if runs(pid)] == []


def test_server_that_dies_later_is_noticed_and_can_be_started_again(hub):
    api = hub.api("bob")
    with news(hub):
        api.start("bob", "py-100/small")
        api.wait("bob")
        with kernel_of(hub, api, "bob") as kernel:
            leader = int(kernel.run("import os; print(os.getppid())").text)
        os.kill(leader, 9)
        eventually(lambda: not runs(leader), "the server did not die")
        # Its threads may take a moment to end after it.
        eventually(
            lambda: api.start("bob", "py-100/small").status_code in (201, 202),
            "a dead server was taken for a running one",
        )
        api.wait("bob")
    api.stop("bob")
