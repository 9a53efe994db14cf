"""What a profile asks of GPUs, held against the pools that could give it.

Arithmetic that is sure before the compiler looks at a pool in full: what a card
has, how it is cut, what is kept apart. Amounts are bytes and exact fractions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from lectern_spawner.catalog.diagnostics import Diagnostic, listed
from lectern_spawner.catalog.rules.common import Checked, exactly_one, unknown
from lectern_spawner.catalog.rules.sizes import gpu_at
from lectern_spawner.catalog.sections.pools import Pool
from lectern_spawner.catalog.sections.profile import Gpu
from lectern_spawner.catalog.source import Where

# How much each backend keeps apart: memory, compute. 0 nothing, 1 a hook in the
# program, 2 the driver, 3 the hardware.
_KEPT: dict[str, tuple[int, int]] = {
    "whole": (3, 3),
    "time-slicing": (0, 0),
    "mps": (2, 2),
    "mig": (3, 3),
    "vgpu": (3, 2),
    "hami": (1, 1),
    "kai": (0, 0),
    "runai": (1, 0),
    "dra": (0, 0),
    "volcano": (1, 1),
    "koordinator": (1, 1),
    "gpu-manager": (1, 1),
    "gpushare": (0, 0),
    "mps-env": (2, 2),
    "custom": (0, 0),
}
_DRA_KEPT = {"whole": (3, 3), "mig": (3, 3), "hami-core": (1, 1)}
_WHOLE_ONLY = frozenset({"whole", "vgpu"})
_PARTS_OF_SEVERAL = frozenset({"hami", "volcano", "kai", "dra"})
_GPU_MANAGER_BLOCK_BYTES = 256 * 2**20
_MIG_NAME = re.compile(r"([0-9])g\.([0-9]+)gb")
_ONE_OF = ("share", "memory", "mig", "count")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a pool cannot give what is asked for."""

    code: str
    key: str
    """Key of the `gpu` section to mark."""

    message: str
    label: str


def problems(it: Checked) -> Iterator[Diagnostic]:
    """Yield what no pool, or not the named pool, can give."""
    for profile, entry in it.course.profiles.items():
        for index, gpu in enumerate(entry.gpu):
            yield from _request(it, gpu, gpu_at(it.source, profile, index))


def _request(it: Checked, gpu: Gpu, where: Where) -> Iterator[Diagnostic]:
    given = {key: getattr(gpu, key) for key in _ONE_OF}
    part_of_each = gpu.count is not None and gpu.mig is None
    if part_of_each and (gpu.share is None or gpu.memory is None):
        given = {"count": gpu.count}
    wrong = [*exactly_one(given, where, it.source, _ONE_OF), *_names(it, gpu, where)]
    yield from wrong
    if wrong:
        return
    pools = _candidates(it, gpu)
    if not pools:
        message = "no card of these pools is of such a model"
        known = sorted({pool.cards.model for pool in it.campus.gpu_pools.values()})
        label = f"the campus has {listed(known)}"
        yield it.value((*where, "model"), "LEC315", message, label=label)
        return
    found = {name: _first_problem(gpu, name, pool) for name, pool in pools.items()}
    if gpu.pool is None and None in found.values():
        return  # some pool can give it
    for name, problem in found.items():
        if problem is not None:
            yield it.value(
                (*where, problem.key),
                problem.code,
                problem.message,
                label=problem.label,
                notes=it.set_here(("gpu_pools", name)),
            )


def _names(it: Checked, gpu: Gpu, where: Where) -> Iterator[Diagnostic]:
    known = it.campus.gpu_pools
    for index, name in enumerate(gpu.pool or ()):
        if name not in known:
            place: Where = (*where, "pool")
            place = (*place, index) if (*place, index) in it.source.values else place
            yield unknown(it.source, place, "LEC307", "GPU pool", name, known, section="gpu_pools")
    if gpu.pool is None and not known:
        yield it.value(where, "LEC307", "there is no GPU pool", label="the campus has none")


def _candidates(it: Checked, gpu: Gpu) -> dict[str, Pool]:
    names = gpu.pool or tuple(it.campus.gpu_pools)
    pools = {name: it.campus.gpu_pools[name] for name in names}
    return {n: p for n, p in pools.items() if gpu.model is None or p.cards.model in gpu.model}


def _first_problem(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    for rule in _RULES:
        problem = rule(gpu, name, pool)
        if problem is not None:
            return problem
    return None


def _several(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    count = gpu.count or 1
    if count > pool.cards.per_node:
        label = f"a node of pool `{name}` has {pool.cards.per_node}"
        return Problem("LEC413", "count", f"no node has {count} cards", label)
    part = gpu.share is not None or gpu.memory is not None
    if count > 1 and part and pool.backend not in _PARTS_OF_SEVERAL:
        message = f"a part of {count} cards cannot be had from pool `{name}`"
        return Problem("LEC412", "count", message, f"`count: {count}` alone gives whole cards")
    return None


def _mig(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    if gpu.mig is None:
        return None
    offered = pool.mig.profiles if pool.mig else {}
    if gpu.mig in offered:
        return None
    label = f"offered: {listed(offered)}" if offered else f"backend is `{pool.backend}`"
    message = f"MIG profile `{gpu.mig}` is not offered by pool `{name}`"
    return Problem("LEC314", "mig", message, label)


def _share(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    if gpu.share is None or gpu.share == 1:
        return None
    if (only := _only(pool, gpu.share)) is not None:
        message = f"pool `{name}` cannot give `{gpu.share}` of a card"
        return Problem("LEC409", "share", message, only)
    least = _smallest(pool)
    if gpu.share < least:
        message = f"`{gpu.share}` is less than pool `{name}` can cut off a card"
        return Problem("LEC411", "share", message, f"the smallest is `1/{int(1 / least)}`")
    return None


def _only(pool: Pool, share: Fraction) -> str | None:
    """Return what a pool gives instead, when a share is none of its parts."""
    if pool.backend in _WHOLE_ONLY or (pool.backend == "dra" and pool.mode == "whole"):
        return "only whole cards"
    if pool.replicas is not None and share != Fraction(1, pool.replicas):
        return f"only `1/{pool.replicas}`"
    if pool.mig is not None:
        # The share is rounded up to the MIG profile of which the most fit a card.
        largest = Fraction(1, min(pool.mig.profiles.values()))
        if share > largest:
            return f"at most `{largest}`, as its MIG profiles are"
    return None


def _smallest(pool: Pool) -> Fraction:
    """Return the smallest part of a card that a pool's mechanism can express."""
    if pool.backend == "gpu-manager":
        return Fraction(1, max(1, pool.cards.memory // _GPU_MANAGER_BLOCK_BYTES))
    if pool.backend == "gpushare":
        unit = 2**30 if pool.memory_unit == "GiB" else 2**20
        return Fraction(1, max(1, pool.cards.memory // unit))
    return Fraction(1, 100)


def _memory(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    if gpu.memory is None:
        return None
    most, what = _most_memory(pool)
    if gpu.memory > most:
        message = f"pool `{name}` has no card with so much memory to give"
        return Problem("LEC408", "memory", message, f"{what} has {most // 2**20}Mi")
    return None


def _most_memory(pool: Pool) -> tuple[int, str]:
    """Return the most bytes that one server can have of one card, and of what."""
    card = pool.cards.memory - (pool.reserve or 0)
    if pool.replicas is not None:
        return card // pool.replicas, f"one of {pool.replicas} parts"
    if pool.mig is not None:
        sizes = [int(m[2]) for p in pool.mig.profiles if (m := _MIG_NAME.match(p))]
        return min(card, max(sizes, default=0) * 2**30), "the largest MIG profile"
    return card, "a card"


def _isolation(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    memory, compute = kept_apart(pool)
    if gpu.count is not None and gpu.share is None and gpu.memory is None:
        memory, compute = 3, 3
    wanted = gpu.isolation
    if wanted == "none" and gpu.memory is not None and pool.backend == "time-slicing":
        message = f"pool `{name}` (time-slicing) keeps no memory limit"
        return Problem("LEC410", "memory", message, "anybody on the card may take it all")
    missing = {
        "none": False,
        "memory": memory < 1,
        "compute": compute < 1,
        "hardware": min(memory, compute) < 3,
    }
    if not missing[wanted]:
        return None
    message = f"pool `{name}` ({pool.backend}) does not keep `{wanted}` apart"
    return Problem("LEC410", "isolation", message, "asked for here")


def kept_apart(pool: Pool) -> tuple[int, int]:
    """Return how well a pool keeps memory and compute apart, from 0 (not) to 3 (hardware)."""
    if pool.backend == "dra":
        return _DRA_KEPT.get(pool.mode, (0, 0))
    if pool.backend == "kai" and pool.isolator:
        return 1, 0
    return _KEPT[pool.backend]


_RULES: tuple[Callable[[Gpu, str, Pool], Problem | None], ...] = (
    _several, _mig, _share, _memory, _isolation,
)  # fmt: skip
