"""What must hold inside campus.yaml, beyond a single value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from posixpath import normpath

from lectern_spawner.catalog.diagnostics import Diagnostic, Note
from lectern_spawner.catalog.messages import at_key, at_value
from lectern_spawner.catalog.rules import calendars, pools
from lectern_spawner.catalog.rules.common import exactly_one, languages, needs, twice, unknown
from lectern_spawner.catalog.sections.campus import CampusFile
from lectern_spawner.catalog.sections.fields import FromGroup
from lectern_spawner.catalog.source import Source, Where

_SOURCES = ("count", "lmstat", "prometheus", "unlimited")
# Folders whose files are the system's, not a campus's.
_SYSTEM = frozenset(
    [
        "/", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/var", "/var/lib", "/home", "/tmp",
    ]
)  # fmt: skip
# Nothing below these is anybody's data: configuration, devices, sockets, secrets.
_SYSTEM_BELOW = (
    "/etc", "/root", "/proc", "/sys", "/dev", "/run", "/boot", "/var/run", "/var/log",
    "/var/spool",
)  # fmt: skip


def campus_problems(campus: CampusFile, source: Source) -> Iterator[Diagnostic]:
    """Yield what is wrong inside a campus file of the right shape."""
    for rule in (_lists, _titles, _images, _storage, _licenses, _editors):
        yield from rule(campus, source)
    for name, pool in campus.gpu_pools.items():
        yield from pools.pool_problems(name, pool, source)
    for name, calendar in campus.calendars.items():
        yield from calendars.calendar_problems(name, calendar, source)


def _lists(campus: CampusFile, source: Source) -> Iterator[Diagnostic]:
    yield from twice(campus.languages, ("languages",), source, "language")
    for group, names in campus.groups.items():
        yield from twice(names, ("groups", group), source, "person")


def _titles(campus: CampusFile, source: Source) -> Iterator[Diagnostic]:
    for key in ("images", "storage", "gpu_pools", "calendars", "licenses"):
        for name, entry in getattr(campus, key).items():
            yield from languages(entry.title, (key, name, "title"), source, campus, source)
    for name, calendar in campus.calendars.items():
        for index, holiday in enumerate(calendar.holidays):
            where = ("calendars", name, "holidays", index, "title")
            yield from languages(holiday.title, where, source, campus, source)


def _images(campus: CampusFile, source: Source) -> Iterator[Diagnostic]:
    for name, image in campus.images.items():
        where: Where = ("images", name)
        known = [other for other in campus.images if other != name]
        if image.successor is not None and image.successor not in known:
            place = (*where, "successor")
            yield unknown(
                source, place, "LEC301", "image", image.successor, known, section="images"
            )
        if image.successor is not None and image.status == "active":
            message = "`successor` means nothing to an image that is active"
            label = "only for `status: deprecated`"
            yield at_key(source, (*where, "successor"), "LEC117", message, label=label)


def _storage(campus: CampusFile, source: Source) -> Iterator[Diagnostic]:
    for name, storage in campus.storage.items():
        where: Where = ("storage", name)
        if storage.path is None and storage.nfs is None:
            yield needs(where, source, "`path`, `nfs` or both")
        if storage.path is not None and _is_system(storage.path):
            message = f"`{storage.path}` holds the system's own files"
            label = "courses could read them"
            yield at_value(source, (*where, "path"), "LEC426", message, label=label)
        for key in ("squash", "mount_options") if storage.nfs is None else ():
            if key in storage.model_fields_set:
                message = f"`{key}` means nothing without `nfs`"
                yield at_key(source, (*where, key), "LEC117", message, label="only for `nfs`")


def _is_system(path: str) -> bool:
    """Whether an absolute path leads to the system's own files, however it is written."""
    if not path.startswith("/"):
        return False
    plain = normpath("/" + path.lstrip("/"))
    return plain in _SYSTEM or any(f"{plain}/".startswith(f"{top}/") for top in _SYSTEM_BELOW)


def _licenses(campus: CampusFile, source: Source) -> Iterator[Diagnostic]:
    for name, license_ in campus.licenses.items():
        where: Where = ("licenses", name)
        given = {key: getattr(license_, key) for key in _SOURCES}
        yield from exactly_one(given, where, source, _SOURCES)
        reserve = license_.reserve
        kept = reserve.staff + reserve.outside + sum(reserve.courses.values())
        if license_.count is not None and kept > license_.count:
            place = source.value((*where, "count"))
            yield at_value(
                source,
                (*where, "reserve"),
                "LEC419",
                f"more licenses of `{name}` are kept than there are",
                label=f"{kept} in all",
                notes=(Note("there are", place),) if place else (),
            )
        if license_.unlimited and kept:
            message = "`reserve` means nothing to licenses that are not counted"
            yield at_key(source, (*where, "reserve"), "LEC117", message, label="nothing to keep")


def _editors(campus: CampusFile, source: Source) -> Iterator[Diagnostic]:
    for index, editors in enumerate(campus.editors):
        where: Where = ("editors", index)
        if isinstance(editors.people, FromGroup) and editors.people.group not in campus.groups:
            place = (*where, "people", "group")
            wrong, known = editors.people.group, campus.groups
            yield unknown(source, place, "LEC303", "group", wrong, known, section="groups")
        for key, code, kind, section in (
            ("images", "LEC301", "image", "images"),
            ("gpu_pools", "LEC307", "GPU pool", "gpu_pools"),
        ):
            known_here = getattr(campus, section)
            for position, wrong in enumerate(getattr(editors, key) or ()):
                if wrong not in known_here:
                    at = (*where, key, position)
                    yield unknown(source, at, code, kind, wrong, known_here, section=section)


def unknown_courses(
    campus: CampusFile, source: Source, courses: Iterable[str]
) -> Iterator[Diagnostic]:
    """Yield names of courses in the campus file that no course file has.

    Args:
        campus: the campus file.
        source: its source.
        courses: ids of all courses in the folder, of broken ones too.
    """
    known = sorted(courses)
    for index, editors in enumerate(campus.editors):
        for position, name in enumerate(editors.courses):
            if name not in known:
                at = ("editors", index, "courses", position)
                yield _no_course(source, at, name, known, on_key=False)
    for license_name, license_ in campus.licenses.items():
        for name in license_.reserve.courses:
            if name not in known:
                place = ("licenses", license_name, "reserve", "courses", name)
                yield _no_course(source, place, name, known, on_key=True)


def _no_course(
    source: Source, where: Where, name: str, known: list[str], *, on_key: bool
) -> Diagnostic:
    # A warning: courses come and go, and none may take the whole campus down with it.
    found = unknown(source, where, "LEC311", "course", name, known, on_key=on_key)
    return replace(found, severity="warning", label="no such course in this folder")
