"""Read hundreds of files in a thread without holding up the hub's event loop.

What holds it is the interpreter: a full collection of garbage walks over all
objects in one go, up to 400 ms with a hub's, and a thread that computes keeps the
interpreter for 5 ms each time that the loop wants it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")

_SWITCH_SECONDS = 0.0005
_NEVER = 2**31 - 1
_MUCH_SECONDS = 0.5


async def gently(work: Callable[[], Result]) -> Result:
    """Return what some work gives, done in a thread; one at a time."""
    with _short_holds():
        return await asyncio.to_thread(work)


def settle_memory() -> None:
    """Take what is there now out of the garbage collector's sight, for good.

    It is still freed when nothing refers to it. Young garbage is collected first, so
    that little of it stays.
    """
    gc.collect(1)
    gc.freeze()


@contextmanager
def _short_holds() -> Iterator[None]:
    """Have short turns and no full collection meanwhile, nor one afterwards for what was made."""
    thresholds, interval, begin = gc.get_threshold(), sys.getswitchinterval(), time.monotonic()
    gc.set_threshold(thresholds[0], thresholds[1], _NEVER)
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        # Not every time: garbage that is not young would stay for ever.
        if time.monotonic() - begin > _MUCH_SECONDS:
            settle_memory()
        gc.set_threshold(*thresholds)
