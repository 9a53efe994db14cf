"""The hub under an ordinary account: it works, says what it cannot keep, and stays at home."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.browserless import text_of
from tests.support.kernel import Kernel
from tests.support.pages import Offers, news
from tests.support.processes import of_folder, runs
from tests.support.running import ROOT, RunningHub, free_port, open_folder, running_hub

UID = 12345 if os.geteuid() == 0 else os.geteuid()
LISTENS = "0A"
PATIENT = """
import subprocess, sys, time
code = (
    "import os, signal, time\\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
    "print(os.getpid(), flush=True)\\n"
    "time.sleep(600)"
)
command = [sys.executable, "-c", code]
left = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
print(left.stdout.readline())
"""


def as_somebody(home):
    """Return the words in front of a command that make it an ordinary account's."""
    if os.geteuid() != 0:
        return ()
    who = f"--reuid={UID}", f"--regid={UID}", "--clear-groups"
    return ("setpriv", *who, "env", f"HOME={home}")


@pytest.fixture(scope="module")
def plain():
    """A hub that an ordinary account runs."""
    with open_folder(UID) as home, running_hub(run_as=as_somebody(home), owner=UID) as hub:
        yield hub


@pytest.fixture(scope="module")
def at_work(plain):
    """A person with a server, and what the spawn page said before."""
    page = plain.visitor("alice").get("/hub/spawn").text
    api = plain.api("alice")
    with news(plain):
        assert api.start("alice", "ml-101/notebook").status_code in (201, 202)
        api.wait("alice")
    yield api, page
    if api.server("alice"):
        api.stop("alice")


def test_start_and_page_say_that_there_is_no_isolation(plain):
    assert "no isolation" in plain.output.read_text()
    person = plain.visitor("alice")
    assert "no isolation" in text_of(person.get("/hub/spawn").text)
    chinese = text_of(person.get("/hub/spawn", params={"lang": "zh"}).text)
    assert "no isolation" not in chinese
    assert "隔离" in chinese


def test_page_says_which_limits_this_machine_keeps(plain):
    page = plain.visitor("alice").get("/hub/spawn").text
    assert "ml-101/notebook" in Offers(page).courses["ml-101"]
    if not delegated():
        assert "This machine cannot limit CPU" in text_of(page)
        assert "Memory is limited for each program, not for the whole server." in text_of(page)


def delegated():
    """Whether an ordinary account may make cgroups here, as under a systemd login."""
    own = Path("/proc/self/cgroup").read_text().splitlines()[-1].rpartition(":")[2]
    return os.geteuid() != 0 and os.access(f"/sys/fs/cgroup{own}", os.W_OK)


def test_everything_listens_on_loopback_only(plain, at_work):
    ports = [plain.port]
    api, _ = at_work
    with Kernel(plain.base, api.token, "alice") as kernel:
        ports.append(int(kernel.run("import os; print(os.environ['JUPYTERHUB_SERVICE_URL'])")
                         .text.split(":")[2].split("/")[0]))  # fmt: skip
    places = {port: addresses for port, addresses in listeners().items() if port in ports}
    assert set(places) == set(ports)
    assert set().union(*places.values()) == {"0100007F"}
    of_hub = [line for line in hub_ports(plain) if line]
    assert all(listeners()[port] == {"0100007F"} for port in of_hub)


def listeners():
    """Return port -> addresses that somebody listens on, as Linux writes them."""
    found: dict[int, set[str]] = {}
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = row.split()
            address, _, port = local.rpartition(":")
            if state == LISTENS:
                found.setdefault(int(port, 16), set()).add(address)
    return found


def hub_ports(hub):
    """Return the ports of the hub's own programs."""
    import json

    return json.loads((hub.state / "ports.json").read_text()).values()


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1"])
def test_other_addresses_than_loopback_are_refused(host):
    with open_folder(UID) as folder:
        settings = folder / "lectern.yaml"
        settings.write_text(f'address: {{host: "{host}"}}\n')
        settings.chmod(0o644)
        hub = RunningHub(
            folder / "state", ROOT / "profiles", free_port(), run_as=as_somebody(folder)
        )
        refused = hub.lectern("up", "--port", str(hub.port), "--settings", str(settings))
    assert refused.returncode == 2
    assert "loopback" in refused.stderr
    assert "lectern.yaml" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_servers_run_under_the_account_of_the_hub(plain, at_work):
    api, _ = at_work
    with Kernel(plain.base, api.token, "alice") as kernel:
        seen = kernel.run("import os; print(os.getuid(), os.environ['HOME'])").text
    assert seen.split() == [str(UID), str(plain.state / "homes" / "alice")]


def test_too_much_memory_fails_with_the_sentence(plain, at_work):
    api, _ = at_work
    with Kernel(plain.base, api.token, "alice") as kernel:
        outcome = kernel.run("x = b'1' * (1536 * 2**20)")
        assert "more memory than ml-101/notebook has, which is 1 GiB." in outcome.text
        assert "MemoryError" in outcome.errors
        assert kernel.run("print(6 * 7)").text == "42\n"


def test_file_is_there_after_a_restart_and_stop_ends_every_child(plain, at_work):
    api, _ = at_work
    with Kernel(plain.base, api.token, "alice") as kernel:
        pid = int(kernel.run(PATIENT).text)
        kernel.run("open('kept.txt', 'w').write('kept')")
    assert runs(pid)
    with news(plain):
        api.stop("alice")
        assert not runs(pid)
        assert api.start("alice", "py-100/small").status_code in (201, 202)
        api.wait("alice")
    assert api.file("GET", "alice", "kept.txt").json()["content"] == "kept"


def test_the_end_of_the_hub_stops_everything(plain, at_work):
    plain.down()
    left = of_folder(plain.state)
    plain.up()
    assert left == {}
