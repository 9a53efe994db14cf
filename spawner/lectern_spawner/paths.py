"""Places inside a YAML file, as people write them: ``profiles.gpu.memory``, ``data[0].from``.

Used by `edit` and `importing`.
"""

from __future__ import annotations

import json
import re

Where = tuple[str | int, ...]

_PART = re.compile(
    r"""
    (?P<dot>\.)? (?P<bare>[^.\[\]"\s]+)
    | \[ (?P<index>[0-9]{1,6}) \]
    | (?P<open>\.|\[)? (?P<quoted>"(?:[^"\\]|\\.)*") (?P<close>\])?
    """,
    re.VERBOSE,
)
_BARE = re.compile(r'[^.\[\]"\s]+')


class PathError(ValueError):
    """A text that is not a place; the message says why."""


def parse(text: str) -> Where:
    """Return the keys and list positions that a text names.

    A key that contains a dot, a bracket or a space stands in quotes:
    ``groups["staff/ml.101"]``.

    Raises:
        PathError: when the text names no place.
    """
    where: list[str | int] = []
    offset = 0
    while offset < len(text):
        found = _PART.match(text, offset)
        if found is None or not _fits(found, first=not where):
            raise PathError(f"`{text}` is not a place such as `profiles.gpu.memory`")
        where.append(_part(found))
        offset = found.end()
    if not where:
        raise PathError("the place is empty; write for example `profiles.gpu.memory`")
    return tuple(where)


def _fits(found: re.Match[str], *, first: bool) -> bool:
    if found["bare"]:
        return bool(found["dot"]) != first
    if found["index"]:
        return not first
    if found["open"] == "[":
        return bool(found["close"])
    return not found["close"] and bool(found["open"]) != first


def _part(found: re.Match[str]) -> str | int:
    if found["index"]:
        return int(found["index"])
    if found["bare"]:
        return found["bare"]
    try:
        return str(json.loads(found["quoted"]))
    except json.JSONDecodeError:
        raise PathError(f"{found['quoted']} is not a quoted key") from None


def show(where: Where) -> str:
    """Return a place as text that `parse` reads back."""
    text = ""
    for part in where:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _BARE.fullmatch(part):
            text += f".{part}"
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text.removeprefix(".")
