"""The verbs behind the make targets: each prepares what it needs, then does its work.

Called by tools/make.py with the words that stood after ``make``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from workshop import apt, checks, interpreters, locks, machines, places
from workshop.environments import Environment, prepare, shown
from workshop.places import CHECKOUT
from workshop.say import say, stop

CAMPUS = "profiles"
FUZZ_SECONDS = "600"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Chinese letters for the browser, and what its driver, a Node.js program, is linked with.
BROWSER_NEEDS = ("fonts-noto-cjk", "libatomic1")
IMAGE_NEEDS = ("skopeo", "umoci")
TWO_AT_A_TIME = ["--numprocesses", "2"]
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", "build")
HELP = """\
make run        start the hub with the example campus   ARGS="--port 9000"
make test       run the tests                           ARGS="-k name"
make test-slow  run the tests and those that take minutes
make fuzz       look for files that the reader stumbles over   ARGS="--fuzz-seconds 3600"
make check      style, types, import rules, sizes, profiles, known vulnerabilities
make bench      measure against plain JupyterHub
make bench-cluster   measure the clusters of `make cluster`
make bench-images   measure how images are built, and how servers start from them
make cluster    start a Kubernetes on this machine   ARGS="--help"
make clusters   say which ones run
make cluster-down   end it, and leave nothing behind
make images     build the images of servers   ARGS="base datascience"
make lock       work out the pinned dependencies anew   ARGS=--upgrade
make clean      remove environments and caches; homes and state stay
Without make: python3 tools/make.py run --port 9000"""


def main(words: list[str]) -> int:
    """Run one verb and return its exit code."""
    name, *arguments = words or ["help"]
    verb = VERBS.get(name)
    if verb is None:
        stop(f"There is no `{name}` here.\n{HELP}")
    os.chdir(CHECKOUT)
    try:
        return verb(arguments)
    except KeyboardInterrupt:
        return 130


def show_help(_arguments: list[str]) -> int:
    """List the verbs."""
    say(HELP)
    return 0


def run(arguments: list[str]) -> int:
    """Become `lectern up` with the example campus; its signals and exit code are make's."""
    environment, where = _prepare("venv", "run.txt")
    script = environment.folder / "bin" / "lectern"
    _become(environment, [script, "up", "--campus", CAMPUS, "--state", where.state, *arguments])


def test(arguments: list[str]) -> int:
    """Run the quick tests, all of them in two processes at a time."""
    return _pytest(["-m", "not slow", *(arguments or TWO_AT_A_TIME)])


def test_slow(arguments: list[str]) -> int:
    """Run all tests; some build a whole Debian system, and have the machine for themselves."""
    return _pytest(arguments, "mmdebstrap", "buildah", "docker.io", "faketime")


def fuzz(arguments: list[str]) -> int:
    """Throw damaged files at the catalog for ten minutes, or for as long as is said."""
    return _run_pytest(["tests/fuzz", "--fuzz-seconds", FUZZ_SECONDS, *arguments])


def check(_arguments: list[str]) -> int:
    """Run every check on the code, each to its end, and say which failed."""
    environment, _ = _prepare("venv-test", "test.txt")
    return checks.run_all(environment)


def bench(arguments: list[str]) -> int:
    """Measure against plain JupyterHub."""
    environment, _ = _prepare("venv-test", "test.txt")
    _become(environment, [environment.python, "-m", "bench", *arguments], PYTHONPATH="tools")


def bench_cluster(arguments: list[str]) -> int:
    """Measure the clusters of `make cluster`."""
    _bench_with_cluster(["--book", "cluster", *arguments])


def bench_images(arguments: list[str]) -> int:
    """Measure how images are built and how servers start from them."""
    _bench_with_cluster(["--book", "images", *arguments])


def _bench_with_cluster(arguments: list[str]) -> NoReturn:
    environment, _ = _prepare("venv-test", "test.txt")
    machines.prepare(environment, _variables(environment))
    _become(environment, [environment.python, "-m", "bench", *arguments], PYTHONPATH="tools")


def cluster(arguments: list[str]) -> int:
    """Start a Kubernetes on this machine, first installing what it needs."""
    if not os.environ.get("KUBECONFIG") and not {"-h", "--help"} & set(arguments):
        # Said before minutes go into packages that would be of no use.
        machines.require_root()
        machines.install()
    return _cluster("up", arguments)


def images(arguments: list[str]) -> int:
    """Build images on this machine, first installing what our own engine needs."""
    if not {"-h", "--help"} & set(arguments) and interpreters.is_root():
        packages = [name for name in ("bubblewrap", "mmdebstrap") if not apt.is_installed(name)]
        if packages:
            apt.install(packages, "to build images")
    environment, _ = _prepare("venv-test", "test.txt")
    _become(environment, [environment.folder / "bin" / "lectern", "images", "build", *arguments])


def clusters(arguments: list[str]) -> int:
    """Say which ones run."""
    machines.require_root()
    return _cluster("list", arguments)


def cluster_down(arguments: list[str]) -> int:
    """End it, and leave nothing behind."""
    if not {"-h", "--help"} & set(arguments):
        machines.require_root()
    return _cluster("down", arguments)


def _cluster(verb: str, arguments: list[str]) -> int:
    environment, where = _prepare("venv-test", "test.txt")
    command: list[str | Path] = [environment.python, "-m", "cluster", verb, *arguments]
    _become(environment, [*command, "--folder", where.base / "cluster"], PYTHONPATH="tools")


def lock(arguments: list[str]) -> int:
    """Write the lock files anew."""
    interpreter = interpreters.choose()
    where = places.find(interpreter)
    environment = prepare("venv-lock", "lock.txt", interpreter, where, needs_lectern=False)
    return locks.make(environment.folder / "bin" / "uv", arguments)


def clean(_arguments: list[str]) -> int:
    """Remove what the other verbs can build again; never the state."""
    where = places.find(interpreters.choose())
    built = [CHECKOUT / name for name in CACHES]
    built += [path for path in where.base.iterdir() if path.name.startswith("venv")]
    for path in built:
        if path.is_dir():
            say(f"Removing {shown(path)}")
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if where.state.exists():
        say(f"Homes and databases stay in {shown(where.state)}")
    return 0


def _prepare(name: str, lock_file: str) -> tuple[Environment, places.Places]:
    interpreter = interpreters.choose()
    where = places.find(interpreter)
    return prepare(name, lock_file, interpreter, where), where


def _pytest(arguments: list[str], *packages: str) -> int:
    """Run pytest, first installing a browser, what copies images, and further Debian packages."""
    missing = [
        name for name in (*BROWSER_NEEDS, *IMAGE_NEEDS, *packages) if not apt.is_installed(name)
    ]
    if not any(map(shutil.which, BROWSERS)):
        missing.insert(0, "chromium")
    if missing:
        apt.install(missing, "for the tests")
    environment, _ = _prepare("venv-test", "test.txt")
    machines.prepare(environment, _variables(environment))
    return _run_pytest(arguments)


def _run_pytest(arguments: list[str]) -> int:
    environment, _ = _prepare("venv-test", "test.txt")
    command: list[str | Path] = [environment.python, "-m", "pytest", *arguments]
    return subprocess.run(command, env=_variables(environment), check=False).returncode


def _variables(environment: Environment) -> dict[str, str]:
    """Return the process environment with the virtual environment's programs first."""
    path = f"{environment.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return os.environ | {"PATH": path, "VIRTUAL_ENV": str(environment.folder)}


def _become(environment: Environment, command: list[str | Path], **variables: str) -> NoReturn:
    os.execve(command[0], [str(word) for word in command], _variables(environment) | variables)


VERBS: dict[str, Callable[[list[str]], int]] = {
    "help": show_help,
    "run": run,
    "test": test,
    "test-slow": test_slow,
    "fuzz": fuzz,
    "check": check,
    "bench": bench,
    "bench-cluster": bench_cluster,
    "bench-images": bench_images,
    "cluster": cluster,
    "clusters": clusters,
    "cluster-down": cluster_down,
    "images": images,
    "lock": lock,
    "clean": clean,
}
