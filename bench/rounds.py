"""Repeat a measurement until enough rounds were quiet.

A fixed piece of work is timed before and after every round; where it takes
unusually long, something else used the machine, and the round is discarded.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import cache

from bench.record import Record, Round, Values

ARMS = ("ours", "peer")
MOST_DISCARDS = 3
_DEVIATION = 0.15
_PATIENCE_SECONDS = 10.0
_TEXT_BYTES = 5_000_000


class UnsteadyError(Exception):
    """A round that shows nothing, because an arm did not keep to its schedule."""


@cache
def _text() -> str:
    row = json.dumps({"name": "alice", "groups": ["ml-101", "py-100"], "cpu": 0.5})
    return "[" + ",".join([row] * (_TEXT_BYTES // len(row))) + "]"


def calibrate() -> float:
    """Return the seconds (wall) of a fixed piece of work, the best of three."""
    text, best = _text(), float("inf")
    # Else the work would grow with whatever else this process holds.
    gc.disable()
    try:
        for _ in range(3):
            begin = time.perf_counter()
            json.loads(text)
            best = min(best, time.perf_counter() - begin)
    finally:
        gc.enable()
    return best


def reference() -> float:
    """Return what the fixed piece of work takes here: the median of seven tries."""
    return statistics.median(calibrate() for _ in range(7))


def repeat(
    record: Record,
    group: str,
    measure: Callable[[tuple[str, str]], Values],
    until: float = float("inf"),
) -> None:
    """Add rounds of a group to a record, the arms taking turns in being first.

    Args:
        record: gets every round, discarded ones too.
        group: name of what is measured.
        measure: measures both arms in the order that it is given.
        until: reading of `time.monotonic` after which no further round begins.
    """
    kept = discarded = 0
    while kept < record.wanted and discarded <= MOST_DISCARDS and time.monotonic() < until:
        order = ARMS if kept % 2 == 0 else ARMS[::-1]
        made = _round(record.reference_seconds, group, (order[0], order[1]), measure)
        record.rounds.append(made)
        kept += made.kept
        discarded += not made.kept
        _tell(f"{group}: round {kept + discarded}" + ("" if made.kept else ", discarded as noisy"))


def _round(
    normal: float, group: str, order: tuple[str, str], measure: Callable[[tuple[str, str]], Values]
) -> Round:
    before = _wait_for_quiet(normal)
    values: Values = {}
    steady = True
    try:
        values = measure(order)
    except UnsteadyError as error:
        steady = False
        _tell(f"{group}: {error}")
    after = calibrate()
    quiet = _is_quiet(before, normal) and _is_quiet(after, normal)
    return Round(
        group=group,
        first=order[0],
        calibration=(before, after),
        kept=quiet and steady,
        values=values,
    )


def _wait_for_quiet(normal: float) -> float:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _is_quiet(taken := calibrate(), normal) and time.monotonic() < deadline:
        time.sleep(1.0)
    return taken


def _is_quiet(taken: float, normal: float) -> bool:
    return abs(taken / normal - 1) <= _DEVIATION


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
