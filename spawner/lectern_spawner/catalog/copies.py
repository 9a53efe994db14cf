"""Read the files of a campus folder, and parse each text only once.

Called by `shelf`. A file is read every time, because neither its times nor its
size tell for sure that it is unchanged; parsing is what takes long.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from lectern_spawner.catalog import reading, rosters, textfile
from lectern_spawner.catalog.diagnostics import Diagnostic
from lectern_spawner.catalog.reading import Parsed, Section
from lectern_spawner.catalog.rosters import Roster
from lectern_spawner.catalog.sections.campus import CampusFile
from lectern_spawner.catalog.sections.course import CourseFile
from lectern_spawner.catalog.source import blank

Made = TypeVar("Made")
Model = TypeVar("Model", bound=Section)


class Copies(Generic[Made]):
    """Files of one kind; one whose text is the same as before is the same object again."""

    def __init__(
        self,
        parse: Callable[[str, str], Made],
        unread: Callable[[str, Diagnostic], Made],
        largest_bytes: int = textfile.LARGEST_BYTES,
    ) -> None:
        """Take the ways to make something of a file.

        Args:
            parse: takes the text and the name to show.
            unread: takes the name and what is wrong, where there is no text.
            largest_bytes: of a file.
        """
        self._parse = parse
        self._unread = unread
        self._largest_bytes = largest_bytes
        self._earlier: dict[Path, tuple[str | None, Made]] = {}
        self._now: dict[Path, tuple[str | None, Made]] = {}

    def look_again(self) -> None:
        """Read every file anew from here on."""
        self._earlier, self._now = self._now, {}

    def forget_earlier(self) -> None:
        """Forget what was not come across since `look_again`; a look is over."""
        self._earlier = {}

    def get(self, path: Path) -> Made:
        """Return what lies in a file; until the next look it is read only once."""
        if path not in self._now:
            self._now[path] = self._read(path)
        return self._now[path][1]

    def _read(self, path: Path) -> tuple[str | None, Made]:
        found = textfile.read(path, self._largest_bytes)
        if found[0] is None:
            return None, self._unread(str(path), found[1])
        text = found[0]
        known = self._earlier.get(path)
        if known is not None and known[0] == text:
            return known
        return text, self._parse(text, str(path))


def campuses() -> Copies[Parsed[CampusFile]]:
    """Return a reader of campus files."""
    return _models(CampusFile)


def courses() -> Copies[Parsed[CourseFile]]:
    """Return a reader of course files."""
    return _models(CourseFile)


def people() -> Copies[Roster]:
    """Return a reader of rosters."""
    return Copies(
        rosters.parse,
        lambda _file, problem: Roster(frozenset(), [problem]),
        textfile.ROSTER_LARGEST_BYTES,
    )


def _models(model: type[Model]) -> Copies[Parsed[Model]]:
    return Copies(
        lambda text, file: reading.read_text(text, model, file),
        lambda file, problem: Parsed(None, blank(file), [problem]),
    )
