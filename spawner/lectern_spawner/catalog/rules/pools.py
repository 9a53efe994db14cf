"""GPU pools of the campus: keys that belong to another backend, cards that cannot be cut so.

Which backend reads which key is from the documents of the mechanisms, see
`docs/architecture.md`; the compiler of GPU shares goes by the same table.
"""

from __future__ import annotations

from collections.abc import Iterator

from lectern_spawner.catalog.diagnostics import Diagnostic, Note, listed
from lectern_spawner.catalog.messages import at_key, at_value
from lectern_spawner.catalog.rules.common import needs
from lectern_spawner.catalog.sections.pools import Pool
from lectern_spawner.catalog.source import Source, Where

# Keys beside the common ones: backend -> key -> whether it must be there.
_KEYS: dict[str, dict[str, bool]] = {
    "whole": {"resource": False},
    "time-slicing": {
        "replicas": True,
        "renamed": False,
        "fail_above_one": False,
        "resource": False,
    },
    "mps": {"replicas": True, "renamed": False, "resource": False},
    "mig": {"mig": True, "resource": False},
    "vgpu": {"resource": False},
    "hami": {"split_count": False, "memory_factor": False, "compute_cap": False, "resource": False},
    "kai": {"queue": True, "priority_class": False, "isolator": False},
    "runai": {"queue": True, "priority_class": False},
    "dra": {"mode": False, "device_class": False, "replicas": False, "mig": False},
    "volcano": {"queue": False, "memory_factor": False, "compute_cap": False},
    "koordinator": {},
    "gpu-manager": {},
    "gpushare": {"memory_unit": False},
    "mps-env": {},
    "custom": {"custom": True},
}
_SPECIAL = frozenset(key for keys in _KEYS.values() for key in keys)
_NVIDIA_ONLY = frozenset({"time-slicing", "mps", "mig", "gpu-manager", "gpushare", "mps-env"})
_MIG_SLICES = 7
# MIG cuts the memory of every card into eighths; a profile's name rounds them up.
_MIG_EIGHTHS = 8


def pool_problems(name: str, pool: Pool, source: Source) -> Iterator[Diagnostic]:
    """Yield what is wrong with one pool."""
    where: Where = ("gpu_pools", name)
    for rule in (_keys, _modes, _vendor, _reserve, _layout, _tolerations):
        yield from rule(where, pool, source)


def _keys(where: Where, pool: Pool, source: Source) -> Iterator[Diagnostic]:
    known = _KEYS[pool.backend]
    for key in sorted(_SPECIAL & pool.model_fields_set):
        if key not in known:
            readers = [backend for backend, keys in _KEYS.items() if key in keys]
            yield at_key(
                source,
                (*where, key),
                "LEC117",
                f"`{key}` means nothing to backend `{pool.backend}`",
                label=f"only for {listed(readers)}",
            )
    for key, must in known.items():
        if must and key not in pool.model_fields_set:
            yield needs(where, source, f"`{key}` for backend `{pool.backend}`")


def _modes(where: Where, pool: Pool, source: Source) -> Iterator[Diagnostic]:
    if pool.backend != "dra":
        return
    for mode, key in (("shares", "replicas"), ("mig", "mig")):
        there = key in pool.model_fields_set
        if pool.mode == mode and not there:
            yield needs(where, source, f"`{key}` for mode `{mode}`")
        if pool.mode != mode and there:
            message = f"`{key}` means nothing in mode `{pool.mode}`"
            yield at_key(source, (*where, key), "LEC117", message, label=f"only for `mode: {mode}`")


def _vendor(where: Where, pool: Pool, source: Source) -> Iterator[Diagnostic]:
    if pool.vendor != "nvidia" and pool.backend in _NVIDIA_ONLY:
        yield at_value(
            source,
            (*where, "backend"),
            "LEC424",
            f"backend `{pool.backend}` cannot cut cards of `{pool.vendor}`",
            label="only for NVIDIA's cards",
        )


def _reserve(where: Where, pool: Pool, source: Source) -> Iterator[Diagnostic]:
    if pool.reserve is not None and pool.reserve >= pool.cards.memory:
        card = source.value((*where, "cards", "memory"))
        yield at_value(
            source,
            (*where, "reserve"),
            "LEC422",
            "nothing is left of a card",
            label="as much as the card has",
            notes=(Note("the card", card),) if card else (),
        )


def _layout(where: Where, pool: Pool, source: Source) -> Iterator[Diagnostic]:
    if pool.mig is None:
        return
    layout, memory = pool.mig.profiles, pool.cards.memory
    slices = sum(_mig_slices(name) * number for name, number in layout.items())
    eighths = sum(_mig_eighths(name, memory) * number for name, number in layout.items())
    if slices > _MIG_SLICES or eighths > _MIG_EIGHTHS:
        yield at_value(
            source,
            (*where, "mig", "profiles"),
            "LEC425",
            "these MIG profiles do not fit a card together",
            label=(
                f"{slices} of {_MIG_SLICES} slices"
                if slices > _MIG_SLICES
                else "more memory than the card has"
            ),
        )


def mig_per_card(profile: str, card: int) -> int:
    """Return how many of a MIG profile fit a card with so many bytes of memory, at least one."""
    slices, eighths = _mig_slices(profile), _mig_eighths(profile, card)
    return max(1, min(_MIG_SLICES // slices, _MIG_EIGHTHS // eighths))


def mig_gib(profile: str) -> int:
    """Return the GiB in the name of a MIG profile; it always has a little less."""
    return _mig_numbers(profile)[1]


def _mig_slices(profile: str) -> int:
    return _mig_numbers(profile)[0]


def _mig_eighths(profile: str, card: int) -> int:
    return max(1, round(mig_gib(profile) * 2**30 * _MIG_EIGHTHS / card))


def _mig_numbers(profile: str) -> tuple[int, int]:
    """Return slices and GiB of a profile such as ``3g.20gb``."""
    slices, _, rest = profile.partition("g.")
    return int(slices), int(rest.partition("gb")[0])


def _tolerations(where: Where, pool: Pool, source: Source) -> Iterator[Diagnostic]:
    for index, toleration in enumerate(pool.tolerations):
        place: Where = (*where, "tolerations", index)
        if toleration.operator == "Equal" and toleration.value is None:
            yield needs(place, source, "`value` for operator `Equal`")
        if toleration.operator == "Exists" and toleration.value is not None:
            message = "`value` means nothing to operator `Exists`"
            label = "only for `operator: Equal`"
            yield at_key(source, (*place, "value"), "LEC117", message, label=label)
