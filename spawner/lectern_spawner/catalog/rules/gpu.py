"""What a profile asks of GPUs, held against the pools that could give it.

Arithmetic that is sure before the compiler looks at a pool in full: what a card
has, how it is cut, what is kept apart. Amounts are bytes and exact fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from lectern_spawner.catalog.diagnostics import Diagnostic, closest, listed
from lectern_spawner.catalog.rules.common import Checked, exactly_one, unknown
from lectern_spawner.catalog.rules.pools import mig_gib, mig_per_card
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
_MIB = 2**20
_GPU_MANAGER_BLOCK_BYTES = 256 * _MIB
_UNIT_BYTES = {"MiB": _MIB, "GiB": 2**30}
# Most mechanisms count a part of a card in whole percents.
_PERCENT = Fraction(1, 100)
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
    wanted: tuple[str, ...] = _ONE_OF
    if gpu.count is not None and gpu.mig is None and (gpu.share or gpu.memory):
        # A part of each of several cards: the part alone must be clear.
        wanted = ("share", "memory")
    wrong = [*exactly_one(given, where, it.source, wanted), *_names(it, gpu, where)]
    yield from wrong
    if wrong:
        return
    pools = _candidates(gpu, it.campus.gpu_pools)
    if not pools:
        yield _no_such_model(it, gpu, (*where, "model"))
        return
    found = {name: _first_problem(gpu, name, pool) for name, pool in pools.items()}
    if gpu.pool is None:
        if None in found.values():
            return  # some pool can give it
        # No pool was meant in particular: one of them stands for all with the same reason.
        reasons = {problem.code: name for name, problem in found.items() if problem}
        found = {name: found[name] for name in reasons.values()}
    for name, problem in found.items():
        if problem is not None:
            yield it.value(
                (*where, problem.key),
                problem.code,
                problem.message,
                label=problem.label,
                notes=it.defined_here(("gpu_pools", name)),
            )


def _no_such_model(it: Checked, gpu: Gpu, where: Where) -> Diagnostic:
    named = gpu.pool or tuple(it.campus.gpu_pools)
    known = sorted({it.campus.gpu_pools[name].cards.model for name in named})
    close = closest((gpu.model or ("",))[0], known)
    return it.value(
        where,
        "LEC315",
        "no card of these pools is of such a model",
        label=f"the cards are {listed(known)}",
        help=f"did you mean `{close}`?" if close else None,
    )


def _names(it: Checked, gpu: Gpu, where: Where) -> Iterator[Diagnostic]:
    known = it.campus.gpu_pools
    for index, name in enumerate(gpu.pool or ()):
        if name not in known:
            place: Where = (*where, "pool")
            place = (*place, index) if (*place, index) in it.source.values else place
            yield unknown(it.source, place, "LEC307", "GPU pool", name, known, section="gpu_pools")
    if gpu.pool is None and not known:
        help_ = "add one to campus.yaml under `gpu_pools`"
        message, label = "there is no GPU pool", "the campus has none"
        yield it.value(where, "LEC307", message, label=label, help=help_)


def _candidates(gpu: Gpu, pools: Mapping[str, Pool]) -> dict[str, Pool]:
    named = {name: pools[name] for name in gpu.pool or tuple(pools)}
    return {n: p for n, p in named.items() if gpu.model is None or p.cards.model in gpu.model}


def fitting(gpu: Gpu, pools: Mapping[str, Pool]) -> tuple[str, ...]:
    """Return the names of the pools that could give a GPU."""
    candidates = _candidates(gpu, pools)
    return tuple(n for n, pool in candidates.items() if _first_problem(gpu, n, pool) is None)


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
    if count > 1 and not _is_whole(gpu) and pool.backend not in _PARTS_OF_SEVERAL:
        message = f"a part of {count} cards cannot be had from pool `{name}`"
        return Problem("LEC412", "count", message, f"`count: {count}` alone gives whole cards")
    return None


def _whole(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    if not _is_whole(gpu) or (pool.replicas is None and pool.mig is None):
        return None
    cut = "by MIG" if pool.replicas is None else f"in {pool.replicas}"
    key = "count" if gpu.share is None else "share"
    message = f"pool `{name}` has no whole cards"
    return Problem("LEC409", key, message, f"each card is cut {cut}")


def _is_whole(gpu: Gpu) -> bool:
    return gpu.memory is None and gpu.mig is None and gpu.share in (None, 1)


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
        return Problem("LEC411", "share", message, f"the smallest is `{least}`")
    return None


def _only(pool: Pool, share: Fraction) -> str | None:
    """Return what a pool gives instead, when a share is none of its parts."""
    if pool.backend in _WHOLE_ONLY or (pool.backend == "dra" and pool.mode == "whole"):
        return "only whole cards"
    if pool.replicas is not None and share != Fraction(1, pool.replicas):
        return f"only `1/{pool.replicas}`"
    if pool.mig is not None:
        # A share is rounded up to a MIG profile; the largest is the one of which fewest fit.
        fewest = min(mig_per_card(name, pool.cards.memory) for name in pool.mig.profiles)
        if share > Fraction(1, fewest):
            return f"at most `{Fraction(1, fewest)}`, as its MIG profiles are"
    return None


def _smallest(pool: Pool) -> Fraction:
    """Return the smallest part of a card that a pool's mechanism can express."""
    memory = pool.cards.memory
    if pool.mig is not None:
        return Fraction(0)
    if pool.custom is not None:
        bytes_ = _UNIT_BYTES.get(pool.custom.unit, 0) * pool.custom.minimum
        percent = pool.custom.minimum if pool.custom.unit == "percent" else 0
        return Fraction(percent, 100) + Fraction(bytes_, memory)
    if pool.backend == "gpushare":
        return Fraction(1, max(1, memory // _block(pool)))
    if pool.backend == "gpu-manager":
        # Cores are counted in percents and memory in blocks; neither may come to nothing.
        return max(_PERCENT, Fraction(1, max(1, memory // _block(pool))))
    return _PERCENT


def _block(pool: Pool) -> int:
    """Return the unit in bytes in which a pool's mechanism counts memory."""
    if pool.backend == "gpu-manager":
        return _GPU_MANAGER_BLOCK_BYTES
    if pool.backend == "gpushare":
        return _UNIT_BYTES[pool.memory_unit]
    if pool.custom is not None:
        return _UNIT_BYTES.get(pool.custom.unit, 1) * pool.custom.multiple
    return pool.memory_factor * _MIB


def _memory(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    if gpu.memory is None:
        return None
    most, what = _most_memory(pool)
    if gpu.memory > most:
        message = f"pool `{name}` has no card with so much memory to give"
        return Problem("LEC408", "memory", message, what)
    return None


def _most_memory(pool: Pool) -> tuple[int, str]:
    """Return the most bytes that one server can have of one card, and that in words."""
    card = pool.cards.memory - (pool.reserve or 0)
    if pool.replicas is not None:
        part = card // pool.replicas
        return part, f"one of {pool.replicas} parts has {part // _MIB}Mi"
    if pool.mig is not None:
        largest = max(mig_gib(name) for name in pool.mig.profiles)
        # What a profile really has is a little less than the whole number in its name.
        return largest * 2**30 - 1, f"the largest MIG profile has less than {largest}Gi"
    block = _block(pool)
    most = card // block * block
    kept = " without its reserve" if pool.reserve else ""
    return most, f"a card{kept} has {most // _MIB}Mi"


def _isolation(gpu: Gpu, name: str, pool: Pool) -> Problem | None:
    # Nobody else is on a card that is given as a whole.
    memory, compute = (3, 3) if _is_whole(gpu) else kept_apart(pool)
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
    _several, _whole, _mig, _share, _isolation, _memory,
)  # fmt: skip
