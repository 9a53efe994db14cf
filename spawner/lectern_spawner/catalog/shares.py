"""Parts of a card, percentages, MIG profiles: what they look like and what they become.

Used by the models. Everything is an exact fraction; floating point never takes part.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from lectern_spawner.catalog import messages

SHARE_PATTERN = r"[0-9]{1,3}/[0-9]{1,3}|[0-9]{1,3}%"
PERCENT_PATTERN = r"[0-9]{1,3}(\.[0-9]{1,2})?%"
MIG_PATTERN = r"[1-9]g\.[0-9]{1,3}gb(\+(me|gfx|me\.all))?"
_FRACTION = re.compile(r"([0-9]{1,3})/([0-9]{1,3})")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)%")
_MIG = re.compile(MIG_PATTERN)


def share(value: object) -> Fraction:
    """Return an exact part of a card from ``1/2``, ``50%``, ``0.5`` or ``1``."""
    exact = _exact_share(value)
    if exact is None:
        got = f"got {messages.describe(value)}"
        help_ = "write for example `1/2` or `50%`"
        raise messages.fault("LEC214", "must be a part of a card", got=got, help=help_)
    if 0 < exact <= 1:
        return exact
    help_ = f"write `count: {exact}`" if exact > 1 and exact.denominator == 1 else ""
    words = "must be above 0 and at most 1"
    raise messages.fault("LEC106", words, got=f"got {value}", help=help_)


def _exact_share(value: object) -> Fraction | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        exact = Fraction(repr(value)) if math.isfinite(value) and abs(value) < 1000 else None
        if exact is None:
            return None
        near = exact.limit_denominator(16)
        if exact != near and 100 % exact.denominator:
            words = "cannot be cut evenly"
            help_ = f"write `{near}`" if near else "write for example `1/16`"
            raise messages.fault("LEC214", words, got=f"got {value}", help=help_)
        return exact
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, str):
        if (found := _FRACTION.fullmatch(value)) and int(found[2]):
            return Fraction(int(found[1]), int(found[2]))
        if found := _PERCENT.fullmatch(value):
            return Fraction(found[1]) / 100
    return None


def percent(value: object) -> Fraction:
    """Return a part of the whole from text such as ``10%``."""
    if isinstance(value, str) and (found := _PERCENT.fullmatch(value)):
        exact = Fraction(found[1]) / 100
        if exact <= 1:
            return exact
        raise messages.fault("LEC106", "must be at most 100%", got=f"got {value}")
    got = f"got {messages.describe(value)}"
    plain = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100
    help_ = f"write `{value}%`" if plain else "write for example `10%`"
    raise messages.fault("LEC215", "must be a percentage", got=got, help=help_)


def mig(value: str) -> str:
    """Check the name of a MIG profile."""
    if _MIG.fullmatch(value):
        return value
    likely = value.strip().lower()
    help_ = f"write `{likely}`" if _MIG.fullmatch(likely) else "write for example `1g.10gb`"
    got = f"got {messages.describe(value)}"
    raise messages.fault("LEC216", "must be the name of a MIG profile", got=got, help=help_)
