"""The README's first command on a Debian that has nothing but Python, pip and make.

Builds a minimal Debian with mmdebstrap, clones the checkout into a folder
with a space and a Chinese character, takes port 8000 away, and waits until the
login page answers: as an ordinary user with Debian's own pip, and as root with
neither pip nor venv installed.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = "srv/my dir 中/lectern"
PACKAGES = "make,python3,python3-pip,ca-certificates"
SECONDS = 420
"""Longest wait for the login page; a slow network makes most of it."""

# What the machine's own apt and pip need to reach their servers.
SETTINGS = (
    "etc/resolv.conf",
    "etc/hosts",
    "etc/pip.conf",
    "etc/ssl/certs/ca-certificates.crt",
    "etc/apt/apt.conf.d",
)
ADDRESS = re.compile(r"http://[\w.-]+:(\d+)")
# A mount and process namespace of its own: whatever happens, nothing is left running or mounted.
# The root is bound onto itself, because private mounts need a `/` that is a mount point.
ENTER = (
    'mount --bind "$0" "$0" && mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && '
    'cd "$0" && exec chroot "$0" sh -c "$1"'
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can build a Debian system"),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed"),
]


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def debian(request, tmp_path_factory) -> Iterator[Path]:
    """Yield the root of a minimal Debian with the committed state of this checkout in it.

    Debian 12 has Python 3.11, Debian 13 has 3.13.
    """
    root = tmp_path_factory.mktemp("fresh") / "debian"
    command = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", request.param, root]
    subprocess.run(command, check=True, capture_output=True)
    for name in SETTINGS:
        source, target = Path("/") / name, root / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copyfile(source, target)
    for parent in (root, *root.parents[:2]):
        parent.chmod(0o755)
    command = ["git", "clone", "--quiet", "--no-hardlinks", ROOT, root / FOLDER]
    subprocess.run(command, check=True, capture_output=True)
    do(root, "useradd --create-home ann && chown -R ann '/srv/my dir 中'")
    yield root
    # Half a gigabyte that pytest would otherwise keep for its next three runs.
    shutil.rmtree(root)


def inside(root: Path, script: str) -> list[str | Path]:
    """Return the command that runs a shell script with ``root`` as its whole file system."""
    spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return [*spaces, "sh", "-c", ENTER, root, script]


def variables() -> dict[str, str]:
    """Return a small environment with this machine's own pip and certificate settings."""
    kept = ("PIP_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy")
    own = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    return own | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def do(root: Path, script: str) -> None:
    """Run a shell script in the fresh system; fail with its output."""
    done = subprocess.run(
        inside(root, script), env=variables(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def port_8000_taken():
    """Hold port 8000, unless somebody else holds it already."""
    with socket.socket() as probe:
        is_free = probe.connect_ex(("127.0.0.1", 8000)) != 0
    with socket.create_server(("0.0.0.0", 8000)) if is_free else nullcontext():
        yield


@contextmanager
def running(root: Path, script: str, log: Path):
    """Run a script in the fresh system until the block ends, then press Ctrl-C."""
    with log.open("w") as output:
        process = subprocess.Popen(
            inside(root, script),
            env=variables(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                end(process)


def end(process: subprocess.Popen) -> None:
    """Press Ctrl-C, and use force when that does not help."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def login_page(process: subprocess.Popen, log: Path) -> str:
    """Return the login page at the address that the log names, waiting for it to answer."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends and process.poll() is None:
        for port in set(ADDRESS.findall(log.read_text(errors="replace"))) - {"8000"}:
            try:
                address = f"http://127.0.0.1:{port}/hub/login"
                with urllib.request.urlopen(address, timeout=5) as answer:
                    return answer.read().decode()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                continue
        time.sleep(0.5)
    pytest.fail(f"no login page; what was printed:\n{log.read_text(errors='replace')}")


def test_an_ordinary_user_with_debians_pip_gets_to_the_login_page(debian, tmp_path):
    do(debian, "! python3 -c 'import ensurepip' 2>/dev/null && python3 -m pip --version")
    script = f"cd '/{FOLDER}' && exec setpriv --reuid ann --regid ann --clear-groups "
    script += "env HOME=/home/ann make run"
    log = tmp_path / "log"
    with port_8000_taken(), running(debian, script, log) as process:
        assert 'name="password"' in login_page(process, log)
    assert (debian / FOLDER / ".lectern/venv/bin/lectern").exists()


def test_root_without_pip_and_venv_gets_to_the_login_page(debian, tmp_path):
    do(debian, "apt-get -qq purge -y python3-pip && ! python3 -m pip --version 2>/dev/null")
    do(debian, "chown -R 0:0 '/srv/my dir 中' && rm -rf '/srv/my dir 中/lectern/.lectern'")
    script = f"umask 077 && cd '/{FOLDER}' && exec make run"
    log = tmp_path / "log"
    with port_8000_taken(), running(debian, script, log) as process:
        assert 'name="password"' in login_page(process, log)
    assert "Installing the Debian packages python3-venv" in log.read_text()
    do(debian, f"setpriv --reuid 65534 --clear-groups '/{FOLDER}/.lectern/venv/bin/python' -c ''")
