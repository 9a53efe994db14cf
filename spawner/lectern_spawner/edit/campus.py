"""Find the file of a course, and check a whole campus with another text in one file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lectern_spawner.catalog import Diagnostic, Loaded, nodes, rosters, textfile
from lectern_spawner.catalog.diagnostics import Note, Place
from lectern_spawner.catalog.loader import CAMPUS_FILE
from lectern_spawner.catalog.shelf import Shelf

CAMPUS = "campus"


class CannotCheckError(Exception):
    """A change cannot be checked, so it is not made; the message is a sentence for the user."""


class NoFileError(Exception):
    """There is no such course; the message is a sentence for the user."""


def file_of(folder: Path, target: str) -> Path:
    """Return the file that a user means.

    Args:
        folder: the campus folder.
        target: ``campus``, the id of a course, or the name of a file in the folder.

    Raises:
        NoFileError: when there is none, or more than one.
    """
    if not folder.is_dir():
        raise NoFileError(f"there is no folder {folder}")
    if target == CAMPUS:
        return _existing(folder / CAMPUS_FILE)
    if target.endswith(".yaml") and "/" not in target:
        return _existing(folder / target)
    found = [path for path in _yaml_files(folder) if _is_course(path, target)]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise NoFileError(f"course `{target}` is in {names}; name the file instead")
    if not found:
        # A file that cannot be read tells no id; its name is the best guess.
        return _existing(folder / f"{target}.yaml", f"there is no course `{target}` in {folder}")
    return found[0]


def _existing(path: Path, otherwise: str = "") -> Path:
    if not path.is_file():
        raise NoFileError(otherwise or f"there is no file {path}")
    return path


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yaml") if path.is_file() and path.name[0] != ".")


def _is_course(path: Path, course: str) -> bool:
    text = textfile.read(path)[0] or ""
    # Reading all files of a large campus as YAML would take seconds.
    data = nodes.parse(text, str(path))[0].data if course in text else None
    return isinstance(data, dict) and data.get("course") == course


def new_problems(folder: Path, file: Path, old: str, new: str) -> list[Diagnostic]:
    """Return what is wrong with a campus after a change and was not wrong before.

    Args:
        folder: the campus folder; it is only read.
        file: the file in it that changes.
        old: its text now.
        new: its text after the change.

    Raises:
        CannotCheckError: when the campus cannot be read, or has no use for courses now.
    """
    with tempfile.TemporaryDirectory(prefix="lectern-") as name:
        copy = Path(name)
        _copy(folder, copy, [old, new])
        # The shelf reads again only what has changed between the two looks.
        shelf = Shelf(copy)
        loaded = _check(shelf, file.name, old)
        if file.name != CAMPUS_FILE and loaded.catalog is None:
            raise CannotCheckError(f"{folder / CAMPUS_FILE} has errors; mend it first")
        before = Counter(_same_problem(item) for item in loaded.diagnostics)
        found = []
        for item in _check(shelf, file.name, new).diagnostics:
            known = _same_problem(item)
            before[known] -= 1
            if before[known] < 0:
                found.append(_moved(item, str(copy), str(folder)))
    return found


def _check(shelf: Shelf, name: str, text: str) -> Loaded:
    (shelf.folder / name).write_bytes(text.encode())
    return shelf.load()


def _same_problem(item: Diagnostic) -> tuple[str, str, str]:
    # Without the line, which moves when lines are added above.
    return item.file, item.code, item.message


def _copy(folder: Path, copy: Path, texts: list[str]) -> None:
    """Copy what is read of a campus; its data sets can be large and stay where they are."""
    for path in sorted(folder.glob("*.y*ml")):
        if path.is_file() and _copied(path, copy / path.name):
            texts.append(textfile.read(path)[0] or "")
    # Path.resolve raises on a loop of symbolic links, realpath does not.
    inside = os.path.realpath(folder)
    for name in {name for text in texts for name in _rosters(text)}:
        roster = Path(os.path.realpath(folder / name))
        if roster.is_file() and roster.is_relative_to(inside) and ".." not in Path(name).parts:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            _copied(roster, copy / name)


def _copied(path: Path, copy: Path) -> bool:
    """Copy a file; return False for one that is closed to us, as it is to the check.

    Raises:
        CannotCheckError: for the campus file, without which nothing can be checked.
    """
    try:
        shutil.copyfile(path, copy)
    except OSError as error:
        if path.name == CAMPUS_FILE:
            raise CannotCheckError(f"{path} cannot be read: {error.strerror}") from None
        return False
    return True


def _rosters(text: str) -> Iterator[str]:
    data = nodes.parse(text, "")[0].data if "csv" in text else None
    for name in rosters.named(data):
        if name and "\0" not in name and not Path(name).is_absolute():
            yield name


def _moved(item: Diagnostic, old: str, new: str) -> Diagnostic:
    """Return a diagnostic of the copy as one of the campus itself."""

    def place(at: Place | None) -> Place | None:
        return at and replace(at, file=at.file.replace(old, new))

    return replace(
        item,
        file=item.file.replace(old, new),
        at=place(item.at),
        label=item.label.replace(old, new),
        notes=tuple(Note(note.message.replace(old, new), place(note.at)) for note in item.notes),
    )
