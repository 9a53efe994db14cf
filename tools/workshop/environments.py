"""Virtual environments that hold exactly what a lock file names, plus Lectern itself.

An environment is changed only when its lock, its Python or Lectern's own
metadata changed; a stamp beside it says what it holds. Packages are replaced in
place, so that servers which run from it go on. Called by `verbs`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workshop import apt, interpreters
from workshop.interpreters import Interpreter
from workshop.places import CHECKOUT, Places
from workshop.say import say, stop

LOCKS = CHECKOUT / "requirements"
BOOTSTRAP = LOCKS / "bootstrap.txt"
Command = Sequence[str | Path]

METADATA = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
ROOTS = (
    "hub/lectern_hub",
    "images/lectern_images/lectern_images",
    "images/lectern_lab/lectern_lab",
    "spawner/lectern_spawner",
)
PINNED_NAME = re.compile(r"[A-Za-z0-9._-]+")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==\S+(.*)$", re.MULTILINE)
FOREIGN = re.compile(r"== '(win32|darwin|nt)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One virtual environment: where it lies and what it is to hold."""

    folder: Path
    lock: Path
    is_reachable: bool
    """Whether Lectern's own code may be read straight from the checkout."""

    needs_lectern: bool = True

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """What the environment held when the set-up last finished."""
        return self.folder / "lectern-stamp.json"


def prepare(
    name: str, lock: str, interpreter: Interpreter, places: Places, *, needs_lectern: bool = True
) -> Environment:
    """Return an environment that holds the lock's packages, installing what is missing.

    Args:
        name: folder name below ``places.base``.
        lock: name of a file in ``requirements/``.
        interpreter: Python to build with.
        places: where environments lie.
        needs_lectern: whether Lectern itself is to be installed too.
    """
    environment = Environment(
        folder=places.environment(name),
        lock=LOCKS / lock,
        is_reachable=places.is_reachable,
        needs_lectern=needs_lectern,
    )
    with _umask(0o022), _only_one(places.base / f"{name}.busy"):
        _update(environment, interpreter)
    return environment


def _update(environment: Environment, interpreter: Interpreter) -> None:
    wanted = _wanted(environment, interpreter)
    held = _held(environment)
    if wanted == held and environment.python.exists():
        return
    if held.get("python") != wanted["python"] or not environment.python.exists():
        held = {}
        _create(environment, interpreter)
    environment.stamp.unlink(missing_ok=True)
    if held.get("packages") != wanted["packages"]:
        _install_packages(environment, is_first=not held)
    if environment.needs_lectern:
        _install_lectern(environment)
    if interpreters.is_root() and not interpreters.others_can([environment.python, "-c", "pass"]):
        stop(f"Other accounts cannot start {environment.python}, which user servers need.")
    environment.stamp.write_text(json.dumps(wanted, indent=1), encoding="utf-8")


def _wanted(environment: Environment, interpreter: Interpreter) -> dict[str, str]:
    """Return what the stamp says once the environment is right."""
    files = [CHECKOUT / name for name in METADATA]
    if not environment.is_reachable:
        files += _sources()
    return {
        "python": f"{interpreter.label} in {environment.folder}",
        "packages": _digest([BOOTSTRAP, environment.lock]),
        "lectern": _digest(files) if environment.needs_lectern else "",
    }


def _held(environment: Environment) -> dict[str, str]:
    try:
        held: dict[str, str] = json.loads(environment.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held


def _sources() -> list[Path]:
    """Return every file of our packages, which are copied when others cannot read the checkout."""
    files = (path for root in ROOTS for path in (CHECKOUT / root).rglob("*"))
    return sorted(path for path in files if path.is_file() and path.suffix != ".pyc")


def _digest(files: list[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        content = path.read_bytes() if path.exists() else b""
        total.update(b"%s\0%d\0%s" % (os.fsencode(path), len(content), content))
    return total.hexdigest()


def _create(environment: Environment, interpreter: Interpreter) -> None:
    """Make an empty environment with a current pip and setuptools in it."""
    if not interpreter.has_ensurepip and not interpreter.has_pip:
        apt.install(["python3-venv"], "to make a virtual environment")
        interpreter = interpreters.choose()
        if not interpreter.has_ensurepip:
            stop(f"{interpreter.label} has neither pip nor venv: PYTHON=/usr/bin/python3 make run")
    say(f"Making {shown(environment.folder)} with {interpreter.label}")
    options = ["--clear"] if interpreter.has_ensurepip else ["--clear", "--without-pip"]
    command: Command = [interpreter.program, "-m", "venv", *options, environment.folder]
    _run(command, "A virtual environment could not be made")
    pip: Command = [environment.python, "-m", "pip"]
    if not interpreter.has_ensurepip:
        pip = [interpreter.program, "-m", "pip", "--python", environment.python]
    _pip(pip, ["install", "--require-hashes", "--no-deps", "-r", BOOTSTRAP])


def _install_packages(environment: Environment, *, is_first: bool) -> None:
    """Install what the lock names and remove what it no longer names."""
    names = pinned(environment.lock)
    what = f"Installing {len(names)} packages into" if is_first else "Updating the packages in"
    hint = " (first time only, about 1 minute)" if is_first else ""
    say(f"{what} {shown(environment.folder)}{hint}")
    pip: Command = [environment.python, "-m", "pip"]
    _pip(pip, ["install", "--require-hashes", "--no-deps", "-r", BOOTSTRAP, "-r", environment.lock])
    listed = subprocess.run(
        [*pip, "list", "--format=json"], capture_output=True, check=True, env=_settings()
    )
    present = {normal(row["name"]) for row in json.loads(listed.stdout)}
    extra = sorted(present - names - pinned(BOOTSTRAP) - {"lectern"})
    if extra:
        _pip(pip, ["uninstall", "--yes", *extra])


def _install_lectern(environment: Environment) -> None:
    """Link the checkout into the environment, or copy it where others cannot read it."""
    say(f"Installing Lectern itself into {shown(environment.folder)}")
    pip: Command = [environment.python, "-m", "pip"]
    options: Command = ["install", "--no-deps", "--no-build-isolation"]
    if environment.is_reachable:
        _pip(pip, [*options, "--editable", "."])
        return
    # From a copy, so that the build leaves nothing behind in the checkout.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "lectern"
        copy.mkdir()
        for name in METADATA:
            if (CHECKOUT / name).exists():
                shutil.copy(CHECKOUT / name, copy)
        for root in ROOTS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(CHECKOUT / root, copy / root, ignore=ignored)
        _pip(pip, [*options, "--force-reinstall", copy])


def normal(name: str) -> str:
    """Return a package's name in the one spelling that all tools compare by."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(lock: Path) -> set[str]:
    """Return the names that a lock file pins for Linux, in their normal spelling."""
    rows = PINNED.findall(lock.read_text(encoding="utf-8"))
    return {normal(name) for name, marker in rows if not FOREIGN.search(marker)}


def shown(path: Path) -> str:
    """Return a path as short as it can be said from the checkout."""
    return str(path.relative_to(CHECKOUT)) if path.is_relative_to(CHECKOUT) else str(path)


def _settings() -> dict[str, str]:
    """Return the machine's own pip settings, less what cannot work in an environment."""
    return os.environ | {"PIP_USER": "0", "PIP_PROGRESS_BAR": "off"}


def _pip(pip: Command, arguments: Command) -> None:
    _run([*pip, *arguments], "pip could not do its part")


def _run(command: Command, sentence: str) -> None:
    """Run a command that is quiet unless it fails; its warnings help nobody who waits."""
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=_settings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        say(done.stdout)
        stop(f"{sentence}; its message is above. Start again once that is mended.")


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    """Let others read what is made here: root's umask is often 077."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Let a second `make` wait until the first has finished the set-up."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another set-up in this checkout to finish")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
