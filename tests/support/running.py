"""A real hub for tests: the program `lectern up`, as a person would run it."""

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests
from ruamel.yaml import YAML

from tests.support.browserless import Api, Visitor, text_of

ROOT = Path(__file__).resolve().parents[2]
STAFF = ("chen", "wang", "zhao", "carol")  # of the example campus, in any of its courses
START_SECONDS = 60
STOP_SECONDS = 40


@dataclass
class RunningHub:
    """A hub that runs, with its folders."""

    state: Path
    campus: Path
    port: int
    process: subprocess.Popen | None = None
    run_as: Sequence[str] = ()
    output: Path = field(init=False)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.output = self.state.with_name(f"{self.state.name}.out")

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def passwords(self) -> dict[str, str]:
        return YAML(typ="safe").load((self.state / "passwords.yaml").read_text())

    @property
    def log(self) -> str:
        return (self.state / "logs" / "hub.log").read_text()

    def command(self, verb: str, *arguments: str) -> list[str]:
        place = ["--state", str(self.state), "--campus", str(self.campus)]
        return [*self.run_as, sys.executable, "-m", "lectern_hub.cli", verb, *arguments, *place]

    def up(self) -> None:
        """Start and wait until the login page answers."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command("up", "--port", str(self.port)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=hub_env(),
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.base}/hub/login", timeout=5).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"the hub did not start:\n{self.output.read_text()[-3000:]}")

    def down(self, sig: signal.Signals = signal.SIGINT) -> int:
        """Stop as Ctrl-C does (or otherwise) and return the exit code."""
        self.process.send_signal(sig)
        return self.process.wait(STOP_SECONDS)

    def visitor(self, name: str, kind: str = "", **headers: str) -> Visitor:
        """Return a person who has logged in.

        Args:
            name: user name.
            kind: whose password; that of the example campus's roles if not set.
            headers: what this person's browser sends with every request.
        """
        person = Visitor(self.base)
        person.session.headers.update({k.replace("_", "-"): v for k, v in headers.items()})
        kind = kind or {"admin": "admins"}.get(name, "staff" if name in STAFF else "students")
        answer = person.log_in(name, self.passwords[kind])
        assert "/hub/login" not in answer.url, text_of(answer.text)
        return person

    def token(self, name: str) -> str:
        """Return an API token, made by `lectern token`."""
        made = subprocess.run(
            self.command("token", name), capture_output=True, text=True, check=True, env=hub_env()
        )
        return made.stdout.strip()

    def api(self, name: str) -> Api:
        """Return the REST API in the hands of a person of the campus."""
        if name not in self.tokens:
            self.visitor(name)
            self.tokens[name] = self.token(name)
        return Api(self.base, self.tokens[name])

    def lectern(self, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a verb of the script and return what it printed."""
        return subprocess.run(
            self.command(verb, *arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
            env=hub_env(),
        )

    def get_quietly(self, path: str) -> None:
        """Ask for a page whose answer does not matter."""
        requests.get(self.base + path, timeout=STOP_SECONDS)

    def kill(self) -> None:
        """Let the hub die as in a crash: no time for a last word."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)


def hub_env() -> dict[str, str]:
    """Return an environment without what a test run adds."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return kept | {"PYTHONPATH": ":".join(map(str, SOURCES))}


SOURCES = [ROOT / "hub", ROOT / "spawner", ROOT / "images" / "lectern_lab"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def open_folder(owner: int | None = None) -> Iterator[Path]:
    """Make a temporary folder that every account can reach, unlike pytest's own.

    Args:
        owner: uid that the folder belongs to; ours if not set.
    """
    folder = Path(tempfile.mkdtemp(prefix="lectern-test-"))
    folder.chmod(0o755)
    if owner is not None:
        os.chown(folder, owner, owner)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_hub(
    campus: Path = ROOT / "profiles", run_as: Sequence[str] = (), owner: int | None = None
) -> Iterator[RunningHub]:
    """Run a hub in a folder of its own, and end whatever it has left.

    Args:
        campus: folder with the course files.
        run_as: command in front of the hub's, such as `setpriv`.
        owner: uid that the folder belongs to.
    """
    with open_folder(owner) as folder:
        hub = RunningHub(folder / "state", campus, free_port(), run_as=run_as)
        try:
            hub.up()
            yield hub
        finally:
            if hub.process and hub.process.poll() is None:
                try:
                    hub.down()
                except subprocess.TimeoutExpired:
                    hub.kill()
