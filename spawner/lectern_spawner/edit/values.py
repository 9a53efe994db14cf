"""The text of a new value: what the user meant, and how it is written in the file."""

from __future__ import annotations

import json
import re
from datetime import date

import yaml

from lectern_spawner.catalog import nodes

_AS_TYPED = re.compile(r"""[\[{"'].*""", re.DOTALL)
_NOT_AS_TYPED = re.compile(r"[#&*!\r\n]")


class UnreadableError(ValueError):
    """A value that is not what it begins to be; the message says why."""


def read(typed: str) -> object:
    """Return what a user's text means.

    A list, a section or quoted text is read as YAML; so is a single word, number
    or date. Anything else that YAML would take apart (``ml: 101``, ``no # 1``) is
    meant as text.

    Raises:
        UnreadableError: when a list, section or quote is not valid YAML.
    """
    text = typed.strip()
    if not text:
        return typed
    source, found = nodes.parse(text, "VALUE")
    if _AS_TYPED.fullmatch(text):
        if found:
            raise UnreadableError(f"the value is not valid YAML: {found[0].message}")
        return source.data
    taken_apart = found or isinstance(source.data, str | dict | list)
    return typed if taken_apart or re.search(r"(?:^|\s)#", text) else source.data


def candidates(value: object, style: str = "", typed: str = "") -> list[str]:
    """Return ways to write a value on one line, the best first.

    Args:
        value: plain data.
        style: the quote of the value that was there before, or nothing.
        typed: the user's own text, when there is any.
    """
    if isinstance(value, dict | list):
        return [typed.strip(), flow(value)] if _usable(typed) else [flow(value)]
    if not isinstance(value, str):
        return [_scalar(value)]
    double = json.dumps(value, ensure_ascii=False)
    single = "'" + value.replace("'", "''") + "'"
    plain = [value] if _is_plain(value) else []
    return {"'": [single, double], '"': [double]}.get(style, [*plain, double])


def _usable(typed: str) -> bool:
    return bool(typed.strip()) and not _NOT_AS_TYPED.search(typed.strip())


def flow(value: object) -> str:
    """Return the text of plain data on one line, to stand anywhere in a file."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if not isinstance(value, str):
        return _scalar(value)
    return value if _is_plain(value, "[{{{}: 0}}]") else json.dumps(value, ensure_ascii=False)


def key(name: str) -> str:
    """Return the text of a key."""
    return flow(name)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).replace("inf", ".inf").replace("nan", ".nan")
    return value.isoformat() if isinstance(value, date) else str(value)


def _is_plain(text: str, frame: str = "{}") -> bool:
    """Whether text without quotes stays text.

    For YAML 1.1 too, where `yes` and `12:30` are something else: other programs
    read these files as well.
    """
    if text != text.strip() or len(text.splitlines()) != 1:
        return False
    expected = [{text: 0}] if ":" in frame else text
    try:
        return bool(yaml.safe_load(frame.format(text)) == expected)
    except (yaml.YAMLError, ValueError):
        return False
