"""``python -m bench``: measure, keep the samples, write the page.

A missed target is printed as missed and is no failure of the bench; the exit
code is 1 only where something could not be measured at all.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bench import (
    catalog,
    clusters,
    figures,
    hubs,
    images,
    inside,
    kube,
    live,
    machine,
    pages,
    reload,
    report,
    rounds,
)
from bench.record import Record

DOCS = Path(__file__).resolve().parents[1] / "docs"
_WANTED, _QUICK = 5, 2
_LIVE_SECONDS = 9 * 60


def main(words: list[str] | None = None) -> int:
    """Run the bench, or render an earlier run."""
    options = _parser().parse_args(words)
    if options.render:
        record = Record.load(options.render)
        sys.stdout.write(report.page(record))
        return 0
    folder: Path = options.out
    folder.mkdir(parents=True, exist_ok=True)
    record = run(_QUICK if options.quick else _WANTED, options.only, options.book)
    record.save(folder / FILES[options.book])
    kept = [Record.load(folder / name) for name in FILES.values() if (folder / name).exists()]
    (folder / "benchmarks.md").write_text(report.page(*kept), encoding="utf-8")
    sys.stdout.write(report.summary(record))
    sys.stdout.write(f"Samples are in {folder / FILES[options.book]}\n")
    for failure in record.failures:
        sys.stderr.write(f"Could not be measured: {failure}\n")
    return 1 if record.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure Lectern beside plain JupyterHub."
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{_QUICK} rounds of each figure, for a first look"
    )
    parser.add_argument(
        "--book", choices=sorted(GROUPS), default="hub", help="what is measured (default: hub)"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=sorted(name for groups in GROUPS.values() for name in groups),
        help="only this group; may be repeated",
    )
    parser.add_argument(
        "--out", type=Path, default=DOCS, metavar="DIR",
        help="where bench.json and benchmarks.md are written (default: docs)",
    )  # fmt: skip
    parser.add_argument(
        "--render", type=Path, metavar="FILE", help="print the page of an earlier bench.json"
    )
    return parser


def run(wanted: int, only: list[str] | None = None, book: str = "hub") -> Record:
    """Measure everything of a book, or some groups, and return the samples."""
    begin = time.monotonic()
    record = Record(
        date=datetime.now().astimezone().isoformat(timespec="seconds"),
        book=book,
        wanted=wanted,
        machine=machine.describe(),
        versions=machine.versions(),
    )
    if not kube.is_installed():
        record.skipped[figures.KUBE] = kube.MISSING
    for name, group in GROUPS[book].items():
        if only and name not in only:
            continue
        try:
            group(record)
        except (RuntimeError, OSError) as error:
            # What the other groups took minutes to measure is kept.
            record.failures.append(
                "\n".join([f"{name}: {error}", *getattr(error, "__notes__", [])])
            )
    return replace(record, seconds=time.monotonic() - begin)


def _inside(record: Record) -> None:
    with hubs.scratch() as folder:
        arms = inside.Inside(folder)
        rounds.repeat(record, "inside: pages", arms.pages)
        rounds.repeat(record, "inside: decisions", arms.decisions)
        rounds.repeat(record, "inside: memory", arms.memory)


def _pages(record: Record) -> None:
    with hubs.scratch() as folder, contextlib.ExitStack() as stack:
        rounds.repeat(record, "pages", pages.Pages(folder, stack).measure)


def _catalog(record: Record) -> None:
    with hubs.scratch() as folder:
        rounds.repeat(record, "catalog", catalog.Catalogs(folder / "reader").measure)
        rounds.repeat(record, "catalog: reload", reload.Reload(folder / "hub").measure)


def _live(record: Record) -> None:
    rounds.repeat(record, "live", live.measure, until=time.monotonic() + _LIVE_SECONDS)


def _clusters(record: Record) -> None:
    with hubs.scratch() as folder:
        rounds.repeat(record, "clusters", clusters.Clusters(folder).start)


def _machines(record: Record) -> None:
    with hubs.scratch() as folder:
        rounds.repeat(record, "machines", clusters.Clusters(folder).machines)


def _crowd(record: Record) -> None:
    """One round is enough: it takes minutes, and memory hardly varies."""
    with hubs.scratch() as folder:
        rounds.repeat(record, "crowd", clusters.Clusters(folder).crowd, rounds=1)


def _builds(record: Record) -> None:
    """Three rounds: each takes as many minutes, and hardly any is quiet for so long."""
    with hubs.scratch() as folder:
        made = images.Builds(folder)
        rounds.repeat(record, "sizes", made.sizes, rounds=1)
        rounds.repeat(record, "builds", made.cold, rounds=3)


def _starts(record: Record) -> None:
    with hubs.scratch() as folder, contextlib.ExitStack() as stack:
        rounds.repeat(record, "starts", images.Starts(folder, stack).measure)


GROUPS: dict[str, dict[str, Callable[[Record], None]]] = {
    # The short ones first; `_live` takes what is left of the time.
    "hub": {"inside": _inside, "catalog": _catalog, "pages": _pages, "live": _live},
    "cluster": {"clusters": _clusters, "machines": _machines, "crowd": _crowd},
    "images": {"starts": _starts, "builds": _builds},
}
"""What each book measures, in order."""

FILES = {"hub": "bench.json", "cluster": "bench-cluster.json", "images": "bench-images.json"}


if __name__ == "__main__":
    sys.exit(main())
