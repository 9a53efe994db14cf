"""Count the processes of this server that died for want of memory.

Used by `connection`. The kernel of the machine keeps the count in the server's
cgroup; without one there is nothing to count.
"""

from __future__ import annotations

import os
from pathlib import Path

_FILES = ("memory.events", "memory.oom_control")


def find(proc: Path = Path("/proc/self")) -> Path | None:
    """Return the file with the count for this server's cgroup, or None.

    Source: Linux, Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst
    """
    try:
        mounts = [line.split() for line in (proc / "mounts").read_text().splitlines()]
        groups = [line.split(":", 2) for line in (proc / "cgroup").read_text().splitlines()]
    except OSError:
        return None
    for _, place, kind, options, *_ in mounts:
        for _, controllers, path in groups:
            memory = "memory" in controllers.split(",") and "memory" in options.split(",")
            if (kind == "cgroup" and memory) or (kind == "cgroup2" and not controllers):
                for name in _FILES:
                    file = Path(place) / path.lstrip("/") / name
                    if os.access(file, os.R_OK):
                        return file
    return None


def kills(file: Path | None) -> int:
    """Return how many processes were killed so far; 0 where nobody counts."""
    if file is None:
        return 0
    try:
        rows = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return 0
    return next((int(row[1]) for row in rows if row[0] == "oom_kill"), 0)
