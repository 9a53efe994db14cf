"""`lectern schema`: the shape of a campus's files as JSON Schema, for editors.

Made from the same fields that the reader checks with, so an editor completes
and explains exactly what will be accepted.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from lectern_spawner.catalog.reading import Section
from lectern_spawner.catalog.sections.campus import CampusFile
from lectern_spawner.catalog.sections.course import CourseFile
from lectern_spawner.commands import Command

FILES: dict[str, type[Section]] = {"campus": CampusFile, "course": CourseFile}
# Keys of a schema that hold values, not schemas.
_DATA = frozenset({"examples", "default", "enum", "const", "required"})


def schema_of(model: type[Section], file: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what a model reads.

    Args:
        model: the whole of a file.
        file: the kind of file, such as ``campus``.
    """
    made = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"{file}.schema.json",
        **model.model_json_schema(by_alias=True, schema_generator=GenerateJsonSchema),
        # Room for anchors: keys that begin with x- mean nothing.
        "patternProperties": {"^x-": {}},
    }
    cleaned: dict[str, Any] = _without_titles(made)
    return cleaned


@cache
def schema(file: str) -> dict[str, Any]:
    """Return the schema of one of a campus's files.

    Args:
        file: ``campus`` or ``course``.
    """
    return schema_of(FILES[file], file)


def _without_titles(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Drop the titles that pydantic makes of names; editors would show them as help."""
    if isinstance(node, list):
        return [_without_titles(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value if key in _DATA else _without_titles(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }


def text(file: str) -> str:
    """Return one of them as it is checked in."""
    return as_text(schema(file))


def as_text(schema: dict[str, Any]) -> str:
    """Return a schema as lines of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", choices=sorted(FILES), help="kind of file")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write KIND.schema.json files into a folder"
    )


def _run(options: Namespace) -> int:
    wanted = [options.file] if options.file else sorted(FILES)
    if options.out is None:
        if len(wanted) > 1:
            sys.stderr.write("lectern schema: say which file, or where to write with --out\n")
            return 2
        sys.stdout.write(text(wanted[0]))
        return 0
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        for file in wanted:
            (options.out / f"{file}.schema.json").write_text(text(file), encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"lectern schema: cannot write to {options.out}: {error.strerror}\n")
        return 2
    return 0


command = Command(
    name="schema",
    help="print the JSON Schema of campus.yaml or of a course file, for editors",
    configure=_configure,
    run=_run,
)
