"""The two arms as running programs: `lectern up`, and plain JupyterHub beside it.

Both run under the same account, with the same interpreter, the same pure-Python
proxy and a database of their own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.browser import Person
from lectern_hub import passwords

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_PAUSE_SECONDS = 0.01
_TICKS = os.sysconf("SC_CLK_TCK")

_PEER_CONFIG = """\
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = {command!r}
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}
c.Spawner.args = ["--allow-root"]
c.Spawner.default_url = "/lab"
"""
_PROXY = "from configurable_http_proxy.cli import main; main()"
_FORM = 'c.Spawner.options_form = "<p>One line</p>"\n'


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A hub that runs."""

    base: str
    process: subprocess.Popen[bytes]
    output: Path
    password: str
    profile: str | None
    """What its people start; None where there is nothing to choose."""

    start_seconds: float
    """From the start of the process to the first login page."""

    def cpu_seconds(self) -> float:
        """Return what the hub's own process has used, its children not counted.

        Source: Linux, Documentation/scheduler/sched-stats.rst: nanoseconds that each
        thread ran, user and system. Where the kernel does not count them, proc(5):
        /proc/pid/stat, fields utime and stime, in clock ticks of 10 ms.
        """
        process = Path(f"/proc/{self.process.pid}")
        with contextlib.suppress(FileNotFoundError):
            threads = [task / "schedstat" for task in (process / "task").iterdir()]
            return sum(int(thread.read_bytes().split()[0]) for thread in threads) / 1e9
        fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def person(self, name: str) -> Person:
        """Return a person who stands before the login page."""
        person = Person(self.base, name)
        person.get("/hub/login")
        return person

    def member(self, name: str) -> Person:
        """Return a person who has logged in."""
        person = self.person(name)
        person.log_in(self.password)
        return person


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that accounts of students can enter, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="lectern-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def ours(folder: Path, campus: Path, profile: str) -> Iterator[Hub]:
    """Run `lectern up` with a fresh state folder."""
    state, port = folder / "state", _free_port()
    place = ["--campus", str(campus), "--state", str(state), "--port", str(port)]
    with _running([sys.executable, "-m", "lectern_hub.cli", "up", *place], folder, port) as started:
        password = passwords.load(state / "passwords.yaml").students
        yield _hub(started, port, password, profile)


@contextlib.contextmanager
def peer(folder: Path, *, with_form: bool = False) -> Iterator[Hub]:
    """Run plain JupyterHub with its simple spawner.

    Args:
        folder: its files, made.
        with_form: whether it shows a spawn page, of one line.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    config = _PEER_CONFIG.format(
        public=port,
        hub=_free_port(),
        proxy=_free_port(),
        command=[sys.executable, "-c", _PROXY],
        homes=str(folder / "homes" / "{username}"),
    )
    (folder / "jupyterhub_config.py").write_text(config + (_FORM if with_form else ""))
    command = [sys.executable, "-m", "jupyterhub", "-f", "jupyterhub_config.py"]
    with _running(command, folder, port) as started:
        yield _hub(started, port, "any", None)


@dataclass(frozen=True, slots=True)
class _Started:
    process: subprocess.Popen[bytes]
    output: Path
    seconds: float


def _hub(started: _Started, port: int, password: str, profile: str | None) -> Hub:
    return Hub(
        base=f"http://127.0.0.1:{port}",
        process=started.process,
        output=started.output,
        password=password,
        profile=profile,
        start_seconds=started.seconds,
    )


@contextlib.contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[_Started]:
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "output.txt"
    begin = time.perf_counter()
    with output.open("ab") as sink:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for_login(process, port, output)
        yield _Started(process, output, time.perf_counter() - begin)
        if process.poll() is not None:
            raise RuntimeError(f"a hub ended by itself: {_last_words(process, output)}")
    except RuntimeError as error:
        error.add_note(f"the hub at port {port}: {_last_words(process, output)}")
        raise
    finally:
        _stop(process)


def _wait_for_login(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    visitor = Person(f"http://127.0.0.1:{port}", "nobody")
    while time.monotonic() < deadline and process.poll() is None:
        if visitor.ask("/hub/login")[0] == 200:
            return
        time.sleep(_PAUSE_SECONDS)
    raise RuntimeError(f"a hub did not start: {_last_words(process, output)}")


def _last_words(process: subprocess.Popen[bytes], output: Path) -> str:
    text = output.read_text(errors="replace")[-3000:]
    return f"{process.args!r}, exit code {process.returncode}\n{text}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a hub as Ctrl-C does: it ends its servers and its proxy."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Return the same environment for both arms, without what `make` adds."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
    programs = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    return kept | {"PATH": programs}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
