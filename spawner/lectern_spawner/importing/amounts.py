"""Amounts of memory and cores, as JupyterHub and as Kubernetes read them. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction

# JupyterHub's K, M, G and T are powers of 1024.
_JUPYTERHUB: Mapping[str, Fraction | int] = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_KUBERNETES: Mapping[str, Fraction | int] = {
    "m": Fraction(1, 1000),
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
}
_BINARY: Mapping[str, Fraction | int] = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
}
_NUMBER = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(e[0-9]{1,2})?([A-Za-z]{0,2})")

MIB = 2**20
GIB = 2**30
# A campus's files have at most seven digits before the unit.
MOST_MIB = 10**7
LARGEST_BYTES = 2**50


def jupyterhub_bytes(value: object) -> Fraction | None:
    """Return the bytes of `mem_limit` or `memory.limit`; None when it cannot be read.

    JupyterHub itself refuses ``4Gi``; where it stands, nothing else can be meant.
    """
    return _amount(value, {**_BINARY, **_JUPYTERHUB})


def kubernetes_amount(value: object) -> Fraction | None:
    """Return a quantity of Kubernetes, such as ``500m``, ``4G`` or ``4Gi``."""
    return _amount(value, {**_BINARY, **_KUBERNETES})


def cores(value: object) -> Fraction | None:
    """Return the cores of `cpu_limit` or `cpu.limit`; None when they cannot be read."""
    return _amount(value, {"": 1, "m": Fraction(1, 1000)})


def _amount(value: object, units: Mapping[str, Fraction | int]) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    found = _NUMBER.fullmatch(str(value).strip().replace("e+", "e"))
    if found is None or found[3] not in units:
        return None
    return Fraction(found[1] + (found[2] or "")) * units[found[3]]


def whole_mib(amount: Fraction) -> int:
    """Return bytes rounded up to a whole number of Mi, of Gi where Mi would have too many digits."""
    whole = math.ceil(amount / MIB) * MIB
    return whole if whole < MOST_MIB * MIB else math.ceil(amount / GIB) * GIB


def memory_text(amount: int) -> str:
    """Return whole Mi of bytes as a campus's files write them."""
    mib = amount // MIB
    return f"{mib // 1024}Gi" if mib % 1024 == 0 else f"{mib}Mi"


def thousandths(amount: Fraction) -> Fraction:
    """Return cores rounded up to three decimals."""
    return Fraction(math.ceil(amount * 1000), 1000)


def cores_value(amount: Fraction) -> int | float:
    """Return cores with at most three decimals as YAML writes them."""
    return int(amount) if amount.denominator == 1 else float(amount)
