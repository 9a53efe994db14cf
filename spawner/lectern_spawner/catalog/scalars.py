"""Turn one YAML scalar into text, number, date, true/false or nothing.

Called by `compose` and `walk`. YAML 1.2: `yes` and `12:30` are text, `010` is ten.
"""

from __future__ import annotations

import re
from datetime import date

from ruamel.yaml.resolver import implicit_resolvers

KINDS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "value"})
_VERSION = (1, 2)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


class NoSuchDate(ValueError):
    """A date that no calendar has."""

    code = "LEC209"


def _by_first_character() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """Return ruamel.yaml's patterns of YAML 1.2, in its order, by the first character."""
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for versions, tag, pattern, firsts in implicit_resolvers:
        # Its patterns compile themselves at first use, and are slow to ask ever after.
        whole = re.compile(pattern.pattern, pattern.flags)
        for first in firsts if _VERSION in versions else ():
            found.setdefault(first, []).append((tag.rpartition(":")[2], whole))
    return found


_PATTERNS = _by_first_character()


def kind_of(text: str) -> str:
    """Return what a scalar without quotes and tag is: ``str``, ``int`` and so on."""
    for kind, pattern in _PATTERNS.get(text[:1], ()):
        if pattern.match(text):
            return kind
    return "str"


def plain(kind: str, text: str) -> object:
    """Return the value of a scalar of a kind.

    Raises:
        ValueError: with words for the user, when the text does not fit its kind.
    """
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind in ("int", "float"):
        return _number(kind, text)
    if kind == "timestamp" and _DATE.fullmatch(text):
        return _date(text)
    return text


def _number(kind: str, text: str) -> int | float:
    digits = text.replace("_", "").lower()
    try:
        if kind == "int":
            return int(digits, _base(digits))
        return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise ValueError(f"`{text[:40]}` cannot be read as a number") from None


def _base(digits: str) -> int:
    bare = digits.lstrip("+-")
    return {"0x": 16, "0o": 8, "0b": 2}.get(bare[:2], 10)


def _date(text: str) -> date:
    year, month, day = (int(part) for part in text.split("-"))
    try:
        return date(year, month, day)
    except ValueError:
        raise NoSuchDate(f"there is no date `{text}`") from None
