"""What a profile asks for: more than there is, too little to work, or against itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from lectern_spawner.catalog.diagnostics import Diagnostic, Note, shorten
from lectern_spawner.catalog.messages import dotted
from lectern_spawner.catalog.model import Profile
from lectern_spawner.catalog.rules.common import Checked
from lectern_spawner.catalog.sections.campus import Largest
from lectern_spawner.catalog.sections.profile import ProfileFile
from lectern_spawner.catalog.source import Source, Where

# JupyterLab with one kernel needs about this much before anything is computed.
LEAST_MEMORY_BYTES = 256 * 2**20

_NOUNS = {"share": "of a card"}
_NEEDS = {
    "desktop": "desktop",
    "octave": "octave",
    "matlab": "matlab",
    "matlab-vnc": "matlab",
    "matlab-web": "matlab",
    "vscode": "vscode",
}


def guarantee_within_limit(it: Checked) -> Iterator[Diagnostic]:
    """Yield guarantees above their limit."""
    for profile, entry in it.course.profiles.items():
        for key in ("cpu", "memory"):
            amount = getattr(entry, key)
            if amount.guarantee > amount.limit:
                where = ("profiles", profile, key)
                limit = it.source.value((*where, "limit"))
                yield it.value(
                    (*where, "guarantee"),
                    "LEC403",
                    f"`{dotted(where)}` guarantees more than its limit",
                    label="more than the limit",
                    notes=(Note("limit set here", limit),) if limit else (),
                )


def enough_memory(it: Checked) -> Iterator[Diagnostic]:
    """Yield profiles in which no server could start."""
    for profile, entry in it.course.profiles.items():
        if entry.memory.limit < LEAST_MEMORY_BYTES:
            yield it.value(
                limit_at(it.source, profile, "memory"),
                "LEC402",
                f"profile `{profile}` has too little memory for a server",
                label=f"a Jupyter server needs at least {LEAST_MEMORY_BYTES // 2**20}Mi",
            )


def asks(
    source: Source, profile: str, entry: ProfileFile | Profile
) -> Iterator[tuple[str, Fraction | float, Where]]:
    """Yield what a profile asks for: key of `largest`, amount, place."""
    for key in ("cpu", "memory"):
        yield key, getattr(entry, key).limit, limit_at(source, profile, key)
    for index, gpu in enumerate(entry.gpu):
        where = gpu_at(source, profile, index)
        if gpu.share is not None:
            yield "share", gpu.share, (*where, "share")
        if gpu.count is not None:
            yield "cards", gpu.count, (*where, "count")
            if gpu.share is None and gpu.memory is None:
                yield "share", Fraction(1), (*where, "count")
    if entry.idle and entry.idle.longest:
        hours = entry.idle.longest / timedelta(hours=1)
        yield "hours", hours, ("profiles", profile, "idle", "longest")


def beyond(
    source: Source, profiles: Mapping[str, ProfileFile] | Mapping[str, Profile], largest: Largest
) -> Iterator[tuple[str, str, object, Where]]:
    """Yield what is larger than a limit: profile, key of `largest`, the limit, place.

    Args:
        source: the course file.
        profiles: its profiles, as they are written or as they were made.
        largest: the limit.
    """
    for profile, entry in profiles.items():
        for key, amount, where in asks(source, profile, entry):
            most = getattr(largest, key)
            if key == "share" and where[-1] == "count" and largest.cards is not None:
                continue  # whole cards have a limit of their own
            if most is not None and amount > most:
                yield profile, key, most, where


def not_too_large(it: Checked) -> Iterator[Diagnostic]:
    """Yield profiles that are larger than the campus allows."""
    largest = it.campus.limits.largest
    for profile, key, most, where in beyond(it.source, it.course.profiles, largest):
        at = ("limits", "largest", key)
        yield it.value(
            where,
            "LEC401",
            f"profile `{profile}` asks for more {_NOUNS.get(key, key)} than the campus allows",
            label=f"the most is {it.written(at) or most}",
            notes=it.set_here(at),
        )


def limit_at(source: Source, profile: str, key: str) -> Where:
    """Return where the limit is written: a key of its own, or the short form's only value."""
    short: Where = ("profiles", profile, key)
    return (*short, "limit") if (*short, "limit") in source.values else short


def gpu_at(source: Source, profile: str, index: int) -> Where:
    """Return where a way to have a GPU is written: an item of a list, or the only section."""
    short: Where = ("profiles", profile, "gpu")
    return (*short, index) if (*short, index) in source.values else short


def image_can(it: Checked) -> Iterator[Diagnostic]:
    """Yield profiles whose image cannot do what they need, where the campus says what it can."""
    for profile, entry in it.course.profiles.items():
        image = it.campus.images.get(entry.image)
        if image is None or not image.capabilities:
            continue
        app = "desktop" if not isinstance(entry.app, str) else _NEEDS.get(entry.app)
        wanted = (("app", app), ("gpu", "gpu" if entry.gpu else None))
        for key, capability in wanted:
            if capability is not None and capability not in image.capabilities:
                yield it.value(
                    ("profiles", profile, key),
                    "LEC423",
                    f"image `{entry.image}` cannot do what profile `{profile}` needs",
                    label=f"needs an image with `{capability}`",
                    notes=it.set_here(("images", entry.image, "capabilities")),
                )


def quota_is_kept(it: Checked) -> Iterator[Diagnostic]:
    """Yield a quota that nobody would enforce."""
    home = it.course.home
    storage = it.campus.storage.get(home.server) if home else None
    if home and home.quota and storage and not storage.quotas:
        yield it.value(
            ("home", "quota"),
            "LEC421",
            f"storage `{home.server}` keeps no quotas",
            label="nobody would enforce this",
            notes=it.defined_here(("storage", home.server)),
            help="remove it, or say `quotas: true` where the server really keeps them",
        )


def idle_in_order(it: Checked) -> Iterator[Diagnostic]:
    """Yield idle times of which a later one comes first."""
    for profile, entry in it.course.profiles.items():
        if entry.idle is None:
            continue
        steps = [(key, getattr(entry.idle, key)) for key in ("warn", "stop", "longest")]
        known = [(key, value) for key, value in steps if value is not None]
        for (early, before), (late, after) in pairwise(known):
            if before >= after:
                where = ("profiles", profile, "idle")
                place = it.source.value((*where, late))
                yield it.value(
                    (*where, early),
                    "LEC513",
                    f"`{early}` does not come before `{late}`",
                    label="too late",
                    notes=(Note("comes first", place),) if place else (),
                )


def instead_works(it: Checked) -> Iterator[Diagnostic]:
    """Yield profiles to go to instead that lead back, or that the same people may not start."""
    profiles = it.course.profiles
    circles = {circle[0]: circle for circle in _circles(it)}
    in_circles = {profile for circle in circles.values() for profile in circle}
    for profile, entry in profiles.items():
        other = profiles.get(entry.instead or "")
        where = ("profiles", profile, "instead")
        if profile in circles:
            message = f"profile `{profile}` leads back to itself"
            label = shorten(" → ".join([*circles[profile], profile]))
            yield it.value(where, "LEC417", message, label=label)
        elif other and profile not in in_circles and not set(entry.who) <= set(other.who):
            message = f"not everybody who may start `{profile}` may start `{entry.instead}`"
            place = it.source.value(("profiles", str(entry.instead), "who"))
            notes = (Note("who may start it", place),) if place else ()
            yield it.value(where, "LEC418", message, label="for other people", notes=notes)


def _circles(it: Checked) -> Iterator[list[str]]:
    """Yield the ways of `instead` that end where they began, from their first profile on."""
    profiles = it.course.profiles
    order = {profile: number for number, profile in enumerate(profiles)}
    seen: set[str] = set()
    for profile in profiles:
        way: list[str] = []
        here: str | None = profile
        while here in profiles and here not in seen:
            seen.add(here)
            way.append(here)
            here = profiles[here].instead
        if here is not None and here in set(way):
            circle = way[way.index(here) :]
            first = circle.index(min(circle, key=order.__getitem__))
            yield circle[first:] + circle[:first]


RULES = (
    guarantee_within_limit, enough_memory, not_too_large, image_can, quota_is_kept,
    idle_in_order, instead_works,
)  # fmt: skip
