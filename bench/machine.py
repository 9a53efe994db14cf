"""Say which machine and which versions a run was made with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_PACKAGES = (
    "lectern",
    "jupyterhub",
    "jupyterlab",
    "configurable-http-proxy",
    "tornado",
    "SQLAlchemy",
    "traitlets",
    "jupyterhub-kubespawner",
)


def describe() -> dict[str, Any]:
    """Return processor, cores, memory, kernel and account of this machine."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": f"{memory_bytes / 2**30:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "account": "root" if os.geteuid() == 0 else "an ordinary user",
        "load before the run": f"{os.getloadavg()[0]:.2f}",
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter and are there."""
    found = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found | {"source": _commit()}


def _commit() -> str:
    """Return which commit was measured, and whether files differed from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not from git"
    return done.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Processor"):
            return value.strip()
    return platform.machine()
