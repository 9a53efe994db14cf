"""Sections of a course file in a few English words, for the command line."""

from __future__ import annotations

from datetime import timedelta

from lectern_spawner.catalog import opening
from lectern_spawner.catalog.sections.course import Home, Shared
from lectern_spawner.catalog.sections.profile import Gpu, Idle, Program
from lectern_spawner.catalog.sections.times import Window

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def duration(value: timedelta) -> str:
    """Return a length of time as it is written in YAML, such as ``1h30m``."""
    rest, text = int(value.total_seconds()), ""
    for unit, seconds in _UNITS:
        number, rest = divmod(rest, seconds)
        text += f"{number}{unit}" if number else ""
    return text or "0s"


def size(value: int) -> str:
    """Return bytes with the largest unit that is exact, such as ``4Gi``."""
    for unit, factor in (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20)):
        if value % factor == 0:
            return f"{value // factor}{unit}"
    return f"{value // 2**10}Ki"


def app(written: str | Program, opened: str) -> str:
    """Return what opens after the start, and what opens instead in this version."""
    name = written if isinstance(written, str) else written.title
    text = name if isinstance(name, str) else next(iter(name.values()))
    return text if text == opened else f"{text}; in this version {opened} opens"


def gpu(value: Gpu) -> str:
    """Return what is asked of GPUs."""
    parts = []
    number = value.count or 1
    cards = "a card" if number == 1 else f"each of {number} cards"
    if value.share is not None:
        parts.append(f"{value.share} of {cards}")
    if value.memory is not None:
        parts.append(f"{size(value.memory)} of {cards}")
    if value.count is not None and not parts:
        parts.append(f"{number} card{'s' if number != 1 else ''}")
    if value.mig is not None:
        parts.append(f"MIG {value.mig}")
    if value.cores is not None:
        parts.append(f"{float(value.cores):.0%} of its computing")
    if value.pool:
        parts.append(f"from {' or '.join(value.pool)}")
    if value.model:
        parts.append(f"a {' or '.join(value.model)}")
    if value.isolation != "none":
        parts.append(f"{value.isolation} kept apart")
    return ", ".join(parts)


def idle(value: Idle) -> str:
    """Return when an idle server is stopped."""
    words = (
        ("warn", "warned after"),
        ("stop", "stopped after"),
        ("longest", "at the latest after"),
    )
    times = [(text, getattr(value, key)) for key, text in words]
    parts = [f"{text} {duration(time)}" for text, time in times if time is not None]
    if value.keep:
        parts.append(f"may be put off {value.keep.times} times by {duration(value.keep.each)}")
    return ", ".join(parts)


def when(value: str | tuple[Window, ...]) -> str:
    """Return when a profile may be started."""
    if isinstance(value, str):
        return value.replace("-", " ")
    return opening.times(value).get("en")


def home(value: Home) -> str:
    """Return where homes lie."""
    return f"on {value.server}" + (f", at most {size(value.quota)}" if value.quota else "")


def shared(value: Shared) -> str:
    """Return where the shared folder lies."""
    return f"{value.source}, written by {value.write}"
