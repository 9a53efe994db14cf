"""Figures about reading a campus folder: a check by a new process, a change under a running hub.

Each value comes from a process of its own, so that nothing is read, parsed or
imported before.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench import campuses
from bench.record import Values
from lectern_spawner.catalog import Shelf
from lectern_spawner.catalog.reading import Section, read_text

COURSES = 500
PROFILES = 16
"""In a course; makes files of 100 lines."""

_TICK_SECONDS = 0.001
_FULL = 127 * 1024
_BAD = (
    "- !x a\n" * (_FULL // 7),
    "[" + "1," * (_FULL // 2),
    "a: 1\n" * (_FULL // 5),
    "{" + "a," * (_FULL // 2) + "}",
    "-\n" * (_FULL // 2),
)
"""Full files, each slow in a way of its own."""


class Catalogs:
    """A campus of many courses, and what is measured with it."""

    def __init__(self, folder: Path) -> None:
        """Write the campus."""
        self.folder = campuses.write(folder / "campus", COURSES * PROFILES, [], each=PROFILES)

    def measure(self, order: tuple[str, str]) -> Values:
        """Return every figure of one round."""
        jobs = {"ours": "check", "peer": "compose"}
        values = {"catalog_new": {arm: self._seconds(jobs[arm]) for arm in order}}
        told = json.loads(_child("reload", self.folder))
        values |= {name: {"ours": value} for name, value in told.items()}
        values["catalog_bad"] = {"ours": json.loads(_child("bad", self.folder))}
        return values

    def _seconds(self, job: str) -> float:
        begin = time.perf_counter()
        _child(job, self.folder)
        return time.perf_counter() - begin


def _child(job: str, folder: Path) -> str:
    """Do a job of this module in a fresh process and return what it prints.

    Raises:
        RuntimeError: when it fails.
    """
    words = [sys.executable, "-m", "bench.catalog", job, str(folder)]
    # Whatever was put before the installed packages here must be so there too.
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(words, env=paths, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{job}: {done.stderr[-1000:]}")
    return done.stdout


def check(folder: Path) -> None:
    """Check the campus once, as `lectern check` does.

    Raises:
        RuntimeError: when it has mistakes.
    """
    campuses.read(folder)


def compose(folder: Path) -> None:
    """Do what plain ruamel.yaml needs for places: compose the nodes of each file."""
    yaml = importlib.import_module("ruamel.yaml").YAML(typ="rt")
    for path in sorted(folder.glob("*.yaml")):
        yaml.compose(path.read_text(encoding="utf-8"))


def reload(folder: Path) -> None:
    """Print the figures of a running hub, in which one file and then all files change."""
    # What a hub has in memory is there for the search for garbage to walk through.
    importlib.import_module("jupyterhub.app")
    gc.collect()
    before = _resident_mib()
    shelf = Shelf(folder)
    shelf.load().require()
    gc.collect()
    gc.freeze()
    sys.stdout.write(json.dumps(asyncio.run(_reloads(shelf, before))))


async def _reloads(shelf: Shelf, before: float) -> dict[str, float]:
    courses = sorted(shelf.folder.glob("course-*.yaml"))
    _change(courses[:1])
    seconds, one = await _watched(shelf.refreshed)
    gc.collect()
    memory = _resident_mib() - before
    _change(courses)
    _, every = await _watched(shelf.refreshed)
    return {
        "catalog_changed": seconds * 1000,
        "catalog_blocked": one * 1000,
        "catalog_blocked_all": every * 1000,
        "catalog_memory": memory,
    }


def _change(paths: list[Path]) -> None:
    for path in paths:
        path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")


async def _watched(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Return how long some work takes, and the longest that the event loop could not answer."""
    worst = 0.0

    async def tick() -> None:
        nonlocal worst
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(_TICK_SECONDS)
            worst = max(worst, time.perf_counter() - begin - _TICK_SECONDS)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    begin = time.perf_counter()
    await work()
    taken = time.perf_counter() - begin
    # The delay of the last moment is seen by the next tick.
    await asyncio.sleep(2 * _TICK_SECONDS)
    ticking.cancel()
    return taken, worst


def bad(_folder: Path) -> None:
    """Print the seconds that the slowest of some files takes that are bad and full."""
    worst = 0.0
    for text in _BAD:
        begin = time.perf_counter()
        read_text(text, Section, "bad.yaml")
        worst = max(worst, time.perf_counter() - begin)
    sys.stdout.write(json.dumps(worst))


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


JOBS: dict[str, Callable[[Path], None]] = {
    "check": check,
    "compose": compose,
    "reload": reload,
    "bad": bad,
}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]))
