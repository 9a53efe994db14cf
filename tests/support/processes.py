"""Look at the machine's processes from outside the product."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

RESERVED = range(1_900_000_000, 1_901_000_000)  # uids of people, see docs/architecture.md
_PATIENCE_SECONDS = 30


def processes() -> Iterator[Path]:
    """Yield the folders of all living processes."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and state(int(folder.name)) not in ("", "Z", "X"):
            yield folder


def state(pid: int) -> str:
    """Return the state letter of a process, empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def runs(pid: int) -> bool:
    return state(pid) not in ("", "Z", "X")


def with_words(words: str) -> list[int]:
    """Return the processes whose command line has these words in it."""
    found = []
    for folder in processes():
        try:
            if words.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def of_folder(folder: Path) -> dict[int, str]:
    """Return the processes that have a folder in their words or their feet, and what they run."""
    found = {}
    for process in processes():
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            place = os.readlink(process / "cwd")
        except OSError:
            continue
        if os.fsencode(folder) in words or place.startswith(str(folder)):
            said = words.split(b"\0\0")[0][:200]
            found[int(process.name)] = said.decode("utf-8", "replace")
    return found


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
