"""What is different between two looks at a campus folder, as sentences for the log."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lectern_spawner.catalog import Catalog, Course, Diagnostic, Loaded
from lectern_spawner.catalog.render import concise

_NAMED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What became of the courses, and of the files that make them."""

    courses: Mapping[str, tuple[str, ...]]
    """What happened to which courses."""

    campus: bool
    """Whether the campus itself is another."""

    problems: Mapping[str, tuple[Diagnostic, ...]]
    """Files with problems that were not known yet, with all that is wrong with each."""

    mended: tuple[str, ...]
    """Files that had errors and have none."""

    cleared: bool
    """Whether anything else that was wrong is no more."""

    @property
    def is_any(self) -> bool:
        """Whether there is anything to tell."""
        differs = self.campus or any(self.courses.values()) or self.cleared
        return bool(differs or self.problems or self.mended)

    def changes(self) -> str:
        """Return what changed in the catalog, such as ``2 courses changed (ml-101, py-100)``."""
        said = ["the campus changed"] if self.campus else []
        for what, names in self.courses.items():
            if names:
                noun = "course" if len(names) == 1 else "courses"
                said.append(f"{len(names)} {noun} {what} ({_some(names)})")
        return ", ".join(said)


def between(old: Loaded, new: Loaded) -> News:
    """Return what is different.

    Args:
        old: what became of the look before.
        new: what became of this one.
    """
    before, now = _by_file(old), _by_file(new)
    return News(
        courses=_courses(old.catalog, new.catalog),
        campus=bool(old.catalog and new.catalog and old.catalog.campus != new.catalog.campus),
        problems={file: found for file, found in now.items() if set(found) - _known(before, file)},
        mended=tuple(f for f in before if _has_error(before[f]) and not _has_error(now.get(f, ()))),
        cleared=old.kept != new.kept or any(set(before[f]) - _known(now, f) for f in before),
    )


def problems(found: tuple[Diagnostic, ...], *, kept: bool) -> str:
    """Return what is wrong with a file, for the log."""
    file = found[0].file
    if not _has_error(found):
        return f"catalog: {file} has warnings\n{concise(found)}".rstrip()
    meanwhile = "its last good version stays in use" if kept else "it is left out"
    return f"catalog: {file} has errors; {meanwhile}\n{concise(found)}".rstrip()


def errors(loaded: Loaded, campus: Path) -> dict[str, int]:
    """Return the number of errors of each file that has any, by its name in the campus folder."""
    counts = {
        file: sum(item.is_error for item in found) for file, found in _by_file(loaded).items()
    }
    return {short(file, campus): count for file, count in counts.items() if count}


def short(file: str | Path, campus: Path) -> str:
    """Return the name of a file as seen from the campus folder."""
    return os.path.relpath(file, campus)


def _by_file(loaded: Loaded) -> dict[str, tuple[Diagnostic, ...]]:
    files: dict[str, list[Diagnostic]] = {}
    for item in loaded.diagnostics:
        files.setdefault(item.file, []).append(item)
    return {file: tuple(found) for file, found in files.items()}


def _known(files: Mapping[str, tuple[Diagnostic, ...]], file: str) -> set[Diagnostic]:
    return set(files.get(file, ()))


def _has_error(found: tuple[Diagnostic, ...]) -> bool:
    return any(item.is_error for item in found)


def _courses(old: Catalog | None, new: Catalog | None) -> dict[str, tuple[str, ...]]:
    before = old.courses if old else {}
    now = new.courses if new else {}
    return {
        "changed": tuple(_changed(before, now)),
        "added": tuple(name for name in now if name not in before),
        "removed": tuple(name for name in before if name not in now),
    }


def _changed(before: Mapping[str, Course], now: Mapping[str, Course]) -> Iterator[str]:
    for name, course in now.items():
        other = before.get(name, course)
        # The same object is the same course: nearly all of them, at nearly every look.
        if other is not course and other != course:
            yield name


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
