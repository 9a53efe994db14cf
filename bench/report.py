"""Write docs/benchmarks.md from a record; a missed target stands there as missed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import BOOKS, Figure
from bench.record import Record

MET, MISSED, NO_RESULT, NO_TARGET = "met", "**missed**", "no result", "–"

_HEAD = """\
# Benchmarks

Written by `make bench` from [bench.json](bench.json), which has every sample; do not edit.

"""

_TABLE = """\
| Figure | Target | Lectern | Peer | Ratio: median (least–most) | Result |
|---|---|---|---|---|---|
"""

_HOW = """
## How it was measured

- Lectern is `lectern up` with a fresh state folder. Plain JupyterHub runs its `simple` spawner and
  `dummy` login with its default SQLite. Both have the same interpreter, the same pure-Python proxy
  and the same account, in one run, taking turns in being first.
- Values are medians of the rounds. A ratio is taken within a round, ours by the peer's; the table
  has the median of the ratios, the least and the most.
- Before and after a round a fixed piece of work is timed. Where it had to wait more than 15 % of its
  time for the processor, or took 15 % more or less after the round than before it, the round was
  discarded and repeated; after more than sixteen discards there is no result.
- A start of a server: the person has logged in, sends the spawn form, lands on the page that waits
  and reads the hub's stream of progress until the server is ready. Hub CPU is user and system time
  of the hub's own process, from `/proc`. Stopping is not counted, nor is what the same hub uses in
  the same time when it idles.
- “CPU of the form” and “resolving” are CPU time inside one process, for people and objects that are
  fresh in every round. Campuses are YAML files, loaded as always.
- kubespawner's profiles are as plain as ours (title, description, image, two limits), and every
  person sees all of them: it has no rule for who sees what.
- Memory counts what a user object holds once its spawn page was shown.
- Figures of the catalog come from fresh processes. The time of a check is that of the whole process;
  a wait of the event loop is how much later than asked a timer fires, with JupyterHub imported and
  `gc.freeze` called after the start. Memory is the growth of the resident set.
"""

_CLUSTER_HEAD = """
# A Kubernetes on one machine

Written by `make bench-cluster` from [bench-cluster.json](bench-cluster.json). Nobody else starts a
cluster without a container engine, so there is no peer beside it.

"""

_CLUSTER_HOW = """
## How the clusters were measured

- Each round starts a cluster from nothing and ends it. Programs, images and the system of machine
  nodes are in the cache; the first start builds them once.
- Times are wall time. That of a machine node begins before its disks are made and ends when the
  API server says Ready. Process nodes start together; the time is divided by their number.
- Memory is the proportional share of every process of the cluster (`Pss`), API server and
  database included.
"""


_IMAGES_HEAD = """
# Images

Written by `make bench-images` from [bench-images.json](bench-images.json).

"""

_IMAGES_HOW = """
## How the images were measured

- A build from nothing has empty caches and downloads Debian's packages and the wheels; how long that takes is
  in the figure. The second build follows in the same cache, after one package was added to the server's lock.
- Sizes are those of all files of all layers.
- A pod begins when it is asked for and ends when JupyterLab's page was fetched from its address, on a host
  node of `make cluster`. The first and the second start are in one pod, one after the other, from
  starting the program until its page answers.
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One figure of one record."""

    figure: Figure
    ours: float | None
    """Median, in the figure's unit; None where nothing was measured."""

    peer: float | None
    ratios: tuple[float, ...]
    verdict: str


def results(record: Record) -> list[Result]:
    """Return every figure with its verdict."""
    return [_result(record, figure) for figure in BOOKS[record.book]]


def _result(record: Record, figure: Figure) -> Result:
    kept = [
        made.values[figure.id] for made in record.rounds if made.kept and figure.id in made.values
    ]
    ours = [value["ours"] for value in kept if "ours" in value]
    peer = [value["peer"] for value in kept if "peer" in value]
    ratios = tuple(
        value["ours"] / value["peer"] for value in kept if value.get("peer") and "ours" in value
    )
    verdict = _verdict(figure, ours, ratios, figure.enough or record.wanted)
    return Result(figure, _median(ours), _median(peer), ratios, verdict)


def _verdict(figure: Figure, ours: Sequence[float], ratios: Sequence[float], wanted: int) -> str:
    """Hold the medians against the target."""
    measured, target = (ratios, figure.ratio) if figure.ratio else (ours, figure.limit)
    if len(measured) < wanted:
        return NO_RESULT
    if target is None:
        return NO_TARGET
    return MET if statistics.median(measured) <= target else MISSED


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def page(*records: Record) -> str:
    """Return the whole page as Markdown: one part for each record."""
    return "".join(_part(record) for record in records)


_TEXTS = {
    "hub": (_HEAD, _HOW),
    "cluster": (_CLUSTER_HEAD, _CLUSTER_HOW),
    "images": (_IMAGES_HEAD, _IMAGES_HOW),
}


def _part(record: Record) -> str:
    head, how = _TEXTS[record.book]
    rows = (f"| {' | '.join(_row(record, result))} |\n" for result in results(record))
    return head + _TABLE + "".join(rows) + how + _where(record)


def _row(record: Record, result: Result) -> list[str]:
    figure = result.figure
    return [
        figure.title,
        _target(figure),
        _amount(result.ours, figure.unit),
        _peer(record, result),
        _ratio(result.ratios),
        result.verdict,
    ]


def _target(figure: Figure) -> str:
    if figure.ratio is not None:
        return f"≤ {figure.ratio:.2f} × peer"
    return f"≤ {figure.limit:g} {figure.unit}".rstrip() if figure.limit is not None else "–"


def _peer(record: Record, result: Result) -> str:
    if result.peer is not None:
        return f"{_amount(result.peer, result.figure.unit)} ({result.figure.peer})"
    why = record.skipped.get(result.figure.peer)
    return f"not measured: {why}" if why else "–"


def _ratio(ratios: Sequence[float]) -> str:
    if not ratios:
        return "–"
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:,.{digits}f} {unit}".rstrip()


def _where(record: Record) -> str:
    discarded = sum(not made.kept for made in record.rounds)
    machine = [f"- {name}: {value}" for name, value in record.machine.items()]
    versions = [f"- {name} {version}" for name, version in record.versions.items()]
    run = [
        f"- {record.date}, {record.seconds / 60:.0f} minutes",
        f"- {len(record.rounds) - discarded} rounds kept, {discarded} discarded",
        f"- {record.wanted} kept rounds are needed for a result, fewer where one takes minutes",
    ]
    run += [f"- broke off: {failure.splitlines()[0]}" for failure in record.failures]
    parts = {"The run": run, "The machine": machine, "Versions": versions}
    return "".join(f"\n## {title}\n\n" + "\n".join(lines) + "\n" for title, lines in parts.items())


def summary(record: Record) -> str:
    """Return the figures as lines for a terminal."""
    lines = []
    for result in results(record):
        title, target, ours, peer, ratio, verdict = _row(record, result)
        lines.append(f"{verdict.strip('*'):>9}  {title}")
        lines.append(f"{'':>9}  {ours}; peer {peer}; ratio {ratio}; target {target}")
    return "\n".join(lines) + "\n"
