"""`lectern new course ID`: a course file to begin with, with every key explained."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from pydantic_core import PydanticCustomError

from lectern_spawner.catalog import Campus, load, render, shown, units
from lectern_spawner.catalog.names import normalise, problem
from lectern_spawner.catalog.sections.course import CourseFile
from lectern_spawner.catalog.sections.profile import ProfileFile
from lectern_spawner.commands import Command, add_campus
from lectern_spawner.explain import example_lines

CANNOT_RUN = 2
_CORES = Fraction(1)
_MEMORY_BYTES = 2 * 2**30
_TITLES = {"en": "A title for {id}", "zh": "{id} 的课程名称"}
_PROFILE_TITLES = {"en": "Notebook", "zh": "笔记本"}
_WRITTEN = ("course", "title", "instructors", "students", "profiles")
_PROFILE_WRITTEN = ("title", "image", "cpu", "memory")


class CannotWriteError(Exception):
    """Nothing was written; the text says why."""


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("kind", choices=("course",), help="what to make")
    parser.add_argument("id", metavar="ID", help="id of the course, such as ml-201")
    parser.add_argument(
        "--instructor",
        action="append",
        default=[],
        metavar="NAME",
        help="who teaches it; may be repeated",
    )
    add_campus(parser)


def _run(options: Namespace) -> int:
    try:
        path = _create(options.campus, options.id, [normalise(n) for n in options.instructor])
    except CannotWriteError as error:
        sys.stderr.write(f"lectern new: {error}\n")
        return CANNOT_RUN
    loaded = load(options.campus)
    found = [item for item in loaded.diagnostics if item.file == str(path)]
    sys.stdout.write(render.full(found))
    sys.stdout.write(f"{path} is there. Edit it, then run `lectern check {options.campus}`.\n")
    return 1 if any(item.is_error for item in found) else 0


def _create(folder: Path, course: str, instructors: list[str]) -> Path:
    try:
        units.identifier(course)
    except PydanticCustomError as error:
        raise CannotWriteError(f"the id `{course[:60]}` {error.context['words']}") from None  # type: ignore[index]
    for name in instructors:
        if why := problem(name):
            raise CannotWriteError(why)
    catalog = load(folder).catalog
    if catalog is None:
        raise CannotWriteError(f"{folder} has errors; see `lectern check {folder}`")
    if course in catalog.courses:
        raise CannotWriteError(f"course `{course}` is in {catalog.courses[course].file} already")
    path = folder / f"{course}.yaml"
    text = course_text(course, instructors, catalog.campus)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        raise CannotWriteError(f"{path} is there already") from None
    except OSError as error:
        raise CannotWriteError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def course_text(course: str, instructors: list[str], campus: Campus) -> str:
    """Return a course file that passes on a campus, with every other key as a comment.

    Args:
        course: id of the course.
        instructors: who teaches it; may be empty.
        campus: its languages, first image and limits are used.
    """
    names = ", ".join(instructors)
    lines = [
        "# yaml-language-server: $schema=schema/course.schema.json",
        f"# `lectern check` looks for mistakes; `lectern show {course}/notebook --user NAME` shows",
        "# what a person gets; `lectern explain profiles.gpu` explains a key.",
        f"course: {course}",
        f"title: {_titles(_TITLES, campus, course)}",
        f"instructors: [{names}]" + ("" if names else "   # who teaches it, such as [chen]"),
        "students: []   # names, {group: NAME} or {csv: rosters/FILE.csv}",
        *_optional(CourseFile, _WRITTEN, "# "),
        "",
        "profiles:",
        "  notebook:",
        f"    title: {_titles(_PROFILE_TITLES, campus, course)}",
        f"    image: {next(iter(campus.images))}",
        f"    cpu: {_cpu(campus)}",
        f"    memory: {_memory(campus)}",
        *_optional(ProfileFile, _PROFILE_WRITTEN, "    # "),
    ]
    return "\n".join(lines) + "\n"


def _titles(texts: dict[str, str], campus: Campus, course: str) -> str:
    pairs = [f'{one}: "{texts[one].format(id=course)}"' for one in campus.languages]
    return "{" + ", ".join(pairs) + "}"


def _cpu(campus: Campus) -> str:
    most = campus.limits.largest.cpu
    cores = _CORES if most is None else min(_CORES, most)
    return f"{float(cores):g}"


def _memory(campus: Campus) -> str:
    most = campus.limits.largest.memory
    return shown.size(_MEMORY_BYTES if most is None else min(_MEMORY_BYTES, most))


def _optional(
    model: type[CourseFile | ProfileFile], written: tuple[str, ...], indent: str
) -> Iterator[str]:
    """Yield the keys that need not be there as comments: what they are for, an example."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in written or not field.examples:
            continue
        yield indent.rstrip(" #")
        yield f"{indent}{field.description}"
        for line in example_lines(key, field.examples[0]):
            yield f"{indent}{line}"


command = Command(
    name="new",
    help="write a course file to begin with",
    configure=_configure,
    run=_run,
)
