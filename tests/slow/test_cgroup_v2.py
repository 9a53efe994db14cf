"""Limits bite under cgroup v2: on a real kernel in an emulated machine.

The machine that runs the tests may have cgroup v1 only, so this boots Debian's
kernel with a small Debian as its initial file system. No virtualisation flag is needed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["qemu-system-x86", "mmdebstrap", "cpio"]
BOOT_SECONDS = 400

pytestmark = pytest.mark.slow


def run(*command: str, **more) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def kernel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kernel")
    if missing := [name for name in PACKAGES if not is_installed(name)]:
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing)
    depends = run("apt-cache", "depends", "linux-image-amd64")
    name = re.search(r"Depends: (linux-image-\S+)", depends)[1]
    run("apt-get", "download", name, cwd=folder)
    (package,) = folder.glob("*.deb")
    run("dpkg-deb", "-x", str(package), str(folder))
    return next((folder / "boot").glob("vmlinuz-*"))


def is_installed(name: str) -> bool:
    done = subprocess.run(["dpkg", "-s", name], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture(scope="module")
def initial_files(tmp_path_factory) -> Path:
    """Return an initial file system with Python and the local backend in it."""
    folder = tmp_path_factory.mktemp("root")
    root = folder / "debian"
    run("mmdebstrap", "--variant=minbase", "--include=python3-minimal,libpython3-stdlib",
        "bookworm", str(root))  # fmt: skip
    for name in ("__init__.py", "local"):
        source = ROOT / "spawner" / "lectern_spawner" / name
        target = root / "lectern" / "lectern_spawner" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    guest = Path(__file__).with_name("cgroup_v2_guest.py").read_text()
    init = root / "init"
    init.write_text(f"#!/usr/bin/python3\n{guest}")
    init.chmod(0o755)
    image = folder / "initrd"
    script = 'cd "$0" && find . -xdev | cpio --quiet -o -H newc > "$1"'
    run("sh", "-c", script, str(root), str(image))
    shutil.rmtree(root)
    return image


@pytest.fixture(scope="module")
def results(kernel, initial_files) -> dict[str, str]:
    """Return what the guest printed."""
    command = [
        "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "2048",
        "-nographic", "-no-reboot", "-nic", "none", "-kernel", str(kernel),
        "-initrd", str(initial_files), "-append", "console=ttyS0 quiet rdinit=/init panic=1",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False,
        stdin=subprocess.DEVNULL, timeout=BOOT_SECONDS,
    )  # fmt: skip
    found = dict(re.findall(r"RESULT (\S+) (.*?)\s*$", done.stdout, flags=re.MULTILINE))
    assert "cores" in found, done.stdout[-4000:]
    return found


def test_all_controllers_are_found(results):
    assert (results["version"], results["controllers"]) == ("2", "cpu,memory,pids")


def test_a_greedy_child_dies_and_its_server_goes_on(results):
    assert results["greedy"] == "greedy child ended with -9"
    assert (results["kills"], results["leader-alive"]) == ("1", "True")


def test_two_busy_processes_get_the_one_cpu_of_their_profile(results):
    assert 0.8 < float(results["cores"]) <= 1.1


def test_a_stopped_server_leaves_no_group(results):
    assert (results["ended"], results["folder-left"]) == ("True", "False")
