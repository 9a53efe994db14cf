"""Kubernetes' quantities: ``500m``, ``2Gi``, ``1e3``."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_FORM = re.compile(
    r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:[eE]([+-]?\d+)|(m|u|n|k|M|G|T|P|E|[KMGTPE]i))?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = "KMGTPE"


def parse(text: str | float) -> Fraction:
    """Return a quantity's value.

    Raises:
        ValueError: when it is none.
    """
    match = _FORM.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text} is not a quantity such as 500m or 2Gi")
    number, exponent, unit = match.groups()
    value = Fraction(number)
    if exponent:
        return value * _power(10, int(exponent))
    if unit and unit.endswith("i"):
        return value * _power(1024, _BINARY.index(unit[0]) + 1)
    return value * _power(10, _DECIMAL[unit]) if unit else value


def _power(base: int, exponent: int) -> Fraction:
    return Fraction(base**exponent) if exponent >= 0 else Fraction(1, base**-exponent)


def in_units(text: str, divisor: str) -> str:
    """Return a quantity as a whole number of divisors, rounded up.

    Args:
        text: the quantity.
        divisor: a quantity; ``0`` counts as 1.
    """
    return str(math.ceil(parse(text) / (parse(divisor) or 1)))
