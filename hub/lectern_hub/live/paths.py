"""Which folders decide what a path leads to.

A file's text changes when the file is written, and also when a link on the way to
it is turned to another place, as Kubernetes does with a ConfigMap and a deployment
with its folder `current`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from watchfiles import Change, DefaultFilter

# In this module os.path instead of methods of Path, which raise where a folder is closed to us.

_MOST_LINKS = 40  # as many as the kernel follows, path_resolution(7)
_READ = (".yaml", ".yml", ".csv")
_MOST_FOLDERS = 50

# A campus may lie below a folder of any name, so no folder is left out by its name.
_IS_NO_EDITORS = DefaultFilter(ignore_dirs=())

Identity = tuple[int, int] | None
"""Device and inode of a folder; None where there is none."""

Traces = Mapping[Path, tuple[int, ...]]
"""What tells two states of some files from each other, without reading them."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Every way to the files of a campus."""

    folders: Mapping[Path, Identity]
    """What has to be watched."""

    contents: frozenset[Path]
    """Those of the folders that hold the files themselves."""

    links: frozenset[Path]

    @property
    def there(self) -> list[Path]:
        """The folders that can be watched."""
        return [folder for folder, known in self.folders.items() if known]

    def are_same(self) -> bool:
        """Return whether the folders are still the ones that they were."""
        return all(_identity(folder) == known for folder, known in self.folders.items())

    def lead_to(self, change: Change, path: Path) -> bool:
        """Return whether a change of a path can change what the files hold."""
        if path in self.links:
            return True
        if path.parent not in self.contents or not _IS_NO_EDITORS(change, str(path)):
            return False
        # A folder or link may bring files along; what is gone may have been either.
        return path.name.endswith(_READ) or os.path.islink(path) or not os.path.isfile(path)


def ways(campus: Path, others: Iterable[Path]) -> Ways:
    """Find every way to the files of a campus.

    Args:
        campus: the campus folder.
        others: files deeper in it, such as rosters.
    """
    files = [*_first_level(campus), *others]
    # Most files lie side by side: the way to their folder is walked once.
    folders = {campus, *_folders_in(campus), *(file.parent for file in files)}
    walked = [_walk(folder / "any") for folder in folders]
    walked += [_walk(file) for file in files if os.path.islink(file)]
    links = frozenset(link for found, _ in walked for link in found)
    contents = frozenset(end.parent for _, end in walked)
    watched = contents | {link.parent for link in links}
    return Ways({folder: _identity(folder) for folder in watched}, contents, links)


def traces(campus: Path, others: Iterable[Path]) -> Traces:
    """Return the traces of all files of a campus."""
    return {path: _trace(path) for path in (*_first_level(campus), *others)}


def _first_level(campus: Path) -> list[Path]:
    try:
        with os.scandir(campus) as entries:
            return [campus / e.name for e in entries if e.name.endswith(_READ)]
    except OSError:
        return []


def _folders_in(campus: Path) -> list[Path]:
    """Return where a roster may appear that a course names already."""
    try:
        with os.scandir(campus) as entries:
            found = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    except OSError:
        return []
    return [campus / name for name in found[:_MOST_FOLDERS]]


def _walk(path: Path) -> tuple[list[Path], Path]:
    """Return the links on the way to a path, and where it ends.

    Unlike `os.path.realpath` it also tells through which links it went.
    """
    links: list[Path] = []
    here, rest = Path(path.anchor), list(reversed(path.parts[1:]))
    while rest and len(links) < _MOST_LINKS:
        part = rest.pop()
        if part == "..":
            here = here.parent
            continue
        try:
            target = Path(os.readlink(here / part))
        except OSError:  # no link, or nothing at all
            here /= part
            continue
        links.append(here / part)
        here = Path(target.anchor) if target.is_absolute() else here
        rest += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return links, here


def _identity(folder: Path) -> Identity:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _trace(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    # The time of the last change of the inode shows what keeps size and time of writing.
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
