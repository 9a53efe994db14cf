"""Repeat a measurement until enough rounds were quiet.

A fixed piece of work is timed before and after every round; where it had to wait
for the processor, or the two differ, the round is discarded.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from functools import cache

from bench.record import Calibration, Record, Round, Values

ARMS = ("ours", "peer")
MOST_DISCARDS = 16
_DEVIATION = 0.15
_PATIENCE_SECONDS = 10.0
_TEXT_BYTES = 5_000_000


class UnsteadyError(Exception):
    """A round that shows nothing, because an arm did not keep to its schedule."""


@cache
def _text() -> str:
    row = json.dumps({"name": "alice", "groups": ["ml-101", "py-100"], "cpu": 0.5})
    return "[" + ",".join([row] * (_TEXT_BYTES // len(row))) + "]"


def calibrate() -> Calibration:
    """Time a fixed piece of work, three times over."""
    text, seconds, walls, cpus = _text(), float("inf"), 0.0, 0.0
    # Else the work would grow with whatever else this process holds.
    gc.disable()
    try:
        for _ in range(3):
            wall, cpu = time.perf_counter(), time.process_time()
            json.loads(text)
            cpu = time.process_time() - cpu
            walls += time.perf_counter() - wall
            cpus += cpu
            seconds = min(seconds, cpu)
    finally:
        gc.enable()
    return Calibration(seconds=seconds, crowding=walls / cpus)


def repeat(
    record: Record,
    group: str,
    measure: Callable[[tuple[str, str]], Values],
    until: float = float("inf"),
    rounds: int | None = None,
) -> None:
    """Add rounds of a group to a record, the arms taking turns in being first.

    Args:
        record: gets every round, discarded ones too.
        group: name of what is measured.
        measure: measures both arms in the order that it is given.
        until: reading of `time.monotonic` after which no further round begins.
        rounds: how many kept ones; as many as the record wants if not given.
    """
    kept = discarded = 0
    wanted = rounds or record.wanted
    while kept < wanted and discarded <= MOST_DISCARDS and time.monotonic() < until:
        order = ARMS if kept % 2 == 0 else ARMS[::-1]
        made = _round(group, (order[0], order[1]), measure)
        record.rounds.append(made)
        kept += made.kept
        discarded += not made.kept
        _tell(f"{group}: round {kept + discarded}" + ("" if made.kept else ", discarded as noisy"))


def _round(
    group: str, order: tuple[str, str], measure: Callable[[tuple[str, str]], Values]
) -> Round:
    before = _wait_for_quiet()
    values: Values = {}
    steady = True
    try:
        values = measure(order)
    except UnsteadyError as error:
        steady = False
        _tell(f"{group}: {error}")
    after = calibrate()
    return Round(
        group=group,
        first=order[0],
        before=before,
        after=after,
        kept=steady and is_quiet(before, after),
        values=values,
    )


def _wait_for_quiet() -> Calibration:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (now := calibrate()).crowding > 1 + _DEVIATION and time.monotonic() < deadline:
        time.sleep(1.0)
    return now


def is_quiet(before: Calibration, after: Calibration) -> bool:
    """Whether a round between two calibrations may count.

    The machine must have had time for us, and must not have changed its speed on
    the way. It may be faster or slower than in another round: both arms of a round
    share that, and a virtual machine's speed drifts by the hour.
    """
    crowded = max(before.crowding, after.crowding) > 1 + _DEVIATION
    return not crowded and abs(after.seconds / before.seconds - 1) <= _DEVIATION


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
