"""Something to read while one waits: a line every ten seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS = 10.0


@contextmanager
def ticking(say: Callable[[str], None], about: str) -> Iterator[None]:
    """Say now and then that something is still being done, and for how long."""
    done, started = threading.Event(), time.monotonic()

    def tick() -> None:
        while not done.wait(_SECONDS):
            say(f"{about}: {time.monotonic() - started:.0f} s")

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
