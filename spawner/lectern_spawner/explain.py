"""`lectern explain`: what a diagnostic's code means, and what a key of a file is for."""

from __future__ import annotations

import json
import re
import sys
import typing
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lectern_spawner import describe
from lectern_spawner.catalog import messages
from lectern_spawner.catalog.diagnostics import CODES, closest
from lectern_spawner.commands import Command
from lectern_spawner.schema import FILES, schema

CANNOT_RUN = 2
_LONGEST_EXAMPLE = 70
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a file."""

    file: str
    """``campus`` or ``course``."""

    path: str
    field: FieldInfo
    section: str
    """Name of the model that has it."""

    inside: tuple[type[BaseModel], ...]
    """Sections that its value may be."""

    @property
    def shape(self) -> dict[str, Any]:
        """The JSON Schema of its value."""
        whole = schema(self.file)
        model = whole if self.section == FILES[self.file].__name__ else whole["$defs"][self.section]
        found: dict[str, Any] = model["properties"][self.path.rpartition(".")[2]]
        return found


def keys(file: str) -> Iterator[Key]:
    """Yield every key of a kind of file; ids and list positions are left out of paths."""
    yield from _below(file, FILES[file], "")


def _below(file: str, model: type[BaseModel], above: str) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        path = f"{above}.{field.alias or name}".lstrip(".")
        inside = tuple(dict.fromkeys(_sections(field.annotation)))
        yield Key(file, path, field, model.__name__, inside)
        for section in inside:
            yield from _below(file, section, path)


def _sections(kind: object) -> Iterator[type[BaseModel]]:
    for option in messages.leaves(kind):
        if isinstance(option, type) and issubclass(option, BaseModel):
            yield option
        else:
            arguments = typing.get_args(option)
            yield from _sections(arguments[-1 if typing.get_origin(option) is dict else 0])


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what",
        metavar="CODE|KEY",
        help="a code such as LEC401, a key such as profiles.gpu.share, or `keys` for all of them",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _run(options: Namespace) -> int:
    what: str = options.what
    if what == "keys" and options.format == "text":
        sys.stdout.write(reference())
        return 0
    if what.upper().startswith("LEC"):
        return _explain_code(what.upper(), options.format)
    path = what.removeprefix("course.").removeprefix("campus.").rstrip(".")
    found = [key for file in sorted(FILES) for key in keys(file) if key.path == path]
    if what.startswith(("course.", "campus.")):
        found = [key for key in found if key.file == what.partition(".")[0]]
    if not found:
        return _unknown(what, {key.path for file in FILES for key in keys(file)})
    if options.format == "json":
        sys.stdout.write(json.dumps([_data(key) for key in found], ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(_text(key) for key in found))
    return 0


def _explain_code(code: str, form: str) -> int:
    if code not in CODES:
        return _unknown(code, set(CODES))
    page = files("lectern_spawner").joinpath("pages", f"{code}.md").read_text(encoding="utf-8")
    if form == "json":
        page = json.dumps({"code": code, "title": CODES[code], "page": page}, ensure_ascii=False)
    sys.stdout.write(page.rstrip("\n") + "\n")
    return 0


def _unknown(what: str, known: set[str]) -> int:
    close = closest(what, known)
    hint = f"did you mean `{close}`?" if close else "codes look like LEC401, keys like profiles.gpu"
    sys.stderr.write(f"lectern explain: there is no `{what[:60]}`; {hint}\n")
    return CANNOT_RUN


def reference() -> str:
    """Return a page in Markdown about every key of both files."""
    lines = [
        "# Every key",
        "",
        "Made by `lectern explain keys` from the fields that `lectern check` reads with. An item of a",
        "list or of a section of ids stands for all of them: `profiles.gpu` is the `gpu` of any profile.",
    ]
    for file, title in (("campus", "campus.yaml"), ("course", "A course file")):
        lines += [
            "",
            f"## {title}",
            "",
            "| key | what it is | written | example |",
            "|---|---|---|---|",
        ]
        lines += [_row(key) for key in keys(file)]
    return "\n".join(lines) + "\n"


def _row(key: Key) -> str:
    needed = " **Needed.**" if key.field.is_required() else ""
    shown = _flow(key.field.examples[0]) if key.field.examples else ""
    shown = f"`{shown}`" if len(shown) <= _LONGEST_EXAMPLE else ""
    cells = (f"`{key.path}`", f"{key.field.description}{needed}", " or ".join(_forms(key.shape)))
    text = " | ".join(cell.replace("|", "\\|") for cell in cells)
    return f"| {text} | {shown} |"


def _flow(example: object) -> str:
    """Return an example on one line."""
    return " ".join(_dumped(example, True, 10_000)).strip()


def _data(key: Key) -> dict[str, Any]:
    return {
        "file": key.file,
        "key": key.path,
        "description": key.field.description,
        "required": key.field.is_required(),
        "default": _default(key.field),
        "written": key.shape,
        "keys": {name: field.description for name, field in _inner(key).items()},
    }


def _default(field: FieldInfo) -> Any:  # noqa: ANN401 - JSON
    value = field.get_default(call_default_factory=True, validated_data={})
    return None if value is PydanticUndefined else describe.plain(value)


def _inner(key: Key) -> Mapping[str, FieldInfo]:
    return {
        field.alias or name: field
        for section in key.inside
        for name, field in section.model_fields.items()
    }


def _text(key: Key) -> str:
    """Return what a person needs to know of a key."""
    place = "campus.yaml" if key.file == "campus" else "a course file"
    default = _default(key.field)
    lines = [f"{key.path}, in {place}", f"  {key.field.description}", ""]
    lines.append(f"  written   {' | '.join(_forms(key.shape))}")
    if key.field.is_required():
        lines.append("  needed    yes")
    elif not isinstance(default, dict) and default not in (None, []):
        lines.append(f"  if unset  {json.dumps(default, ensure_ascii=False)}")
    for number, example in enumerate(key.field.examples or []):
        label = "example" if number == 0 else "or"
        shown = example_lines(key.path.rpartition(".")[2], example)
        lines += [f"  {label if not index else '':10}{line}" for index, line in enumerate(shown)]
    if inner := _inner(key):
        width = max(len(name) for name in inner)
        lines += ["", "  keys"]
        lines += [f"    {name:{width}}  {field.description}" for name, field in inner.items()]
    return "\n".join(lines) + "\n"


def example_lines(key: str, example: object) -> list[str]:
    """Return a key with a value as lines of YAML, short sections on one line."""
    return _dumped({key: example}, None if isinstance(example, dict | list) else False, 90)


def _dumped(data: object, flow_style: bool | None, width: int) -> list[str]:
    # PyYAML puts in quotes what YAML 1.1 would take for something else, such as 14:00.
    text: str = yaml.safe_dump(
        _dated(data),
        default_flow_style=flow_style,
        allow_unicode=True,
        sort_keys=False,
        width=width,
    )
    return text.removesuffix("...\n").splitlines()


def _dated(example: object) -> object:
    """Return an example with its dates as dates: in quotes they would be text."""
    if isinstance(example, dict):
        return {key: _dated(value) for key, value in example.items()}
    if isinstance(example, list):
        return [_dated(value) for value in example]
    is_date = isinstance(example, str) and _DATE.fullmatch(example)
    return date.fromisoformat(str(example)) if is_date else example


def _forms(shape: Mapping[str, Any]) -> list[str]:
    """Return the ways a value may be written, in words."""
    forms = [form for part in _options(shape) if (form := _form(part))]
    return list(dict.fromkeys(forms))


def _options(shape: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for word in ("anyOf", "oneOf"):
        if word in shape:
            for option in shape[word]:
                yield from _options(option)
            return
    yield shape


def _form(shape: Mapping[str, Any]) -> str:
    if "enum" in shape:
        return " | ".join(str(word) for word in shape["enum"])
    if "$ref" in shape or "additionalProperties" in shape:
        return "section"
    kind = shape.get("type", "")
    if kind == "array":
        return f"list of {' | '.join(_forms(shape.get('items', {}))) or 'values'}"
    words = {
        "string": "text",
        "integer": "whole number",
        "boolean": "true | false",
        "object": "section",
    }
    kinds = kind if isinstance(kind, list) else [kind]
    return " | ".join(words.get(str(each), str(each)) for each in kinds if each != "null")


command = Command(
    name="explain",
    help="explain a code of a problem, or a key of a file",
    configure=_configure,
    run=_run,
)
