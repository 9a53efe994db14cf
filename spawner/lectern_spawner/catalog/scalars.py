"""Turn one YAML scalar into text, number, date, true/false or nothing.

Called by `nodes`. YAML 1.2: `yes` and `12:30` are text, `010` is ten.
"""

from __future__ import annotations

import re
from datetime import date

from ruamel.yaml.nodes import ScalarNode

KINDS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "value"})
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


class NoSuchDate(ValueError):
    """A date that no calendar has."""

    code = "LEC209"


def plain(node: ScalarNode) -> object:
    """Return the value of a scalar.

    Raises:
        ValueError: with words for the user, when the text does not fit its tag.
    """
    kind = str(node.tag).rpartition(":")[2]
    text = str(node.value)
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
