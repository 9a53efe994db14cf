"""Read a YAML file into a pydantic model, with every problem at its place in the file.

The engine under the catalog; the hub reads its own settings file with it too.
Models derive from `Section` and use `Many` for lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from lectern_spawner.catalog import messages, nodes, textfile
from lectern_spawner.catalog.diagnostics import Diagnostic, tidy
from lectern_spawner.catalog.source import Source, blank

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A mapping of a file: its keys are the fields, others are refused, nothing is converted."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


Many = Annotated[tuple[Item, ...], Field(strict=False)]
"""A list of items; a tuple in the model. Items themselves are not converted."""


def _form(value: object) -> str:
    return "@section" if isinstance(value, dict | BaseModel) else "@one"


# For a value that is written short or as a mapping, as `Annotated` metadata: one
# alternative carries ONE, the other SECTION, the union BY_FORM. The @ keeps
# pydantic's names of the alternatives out of the path to the value.
ONE = Tag("@one")
SECTION = Tag("@section")
BY_FORM = Discriminator(_form)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Model]):
    """What became of one file."""

    model: Model | None
    """None when there was any error."""

    source: Source
    diagnostics: list[Diagnostic]


def read_model(path: Path, model: type[Model]) -> Parsed[Model]:
    """Read a YAML file and check its shape.

    Args:
        path: the file; diagnostics show it as it is given here.
        model: a `Section` that describes the top level.

    Returns:
        The model and all problems, sorted by place. A mistake in the file never raises.
    """
    source, found = read_source(path)
    return validate(source, model, found)


def read_source(path: Path) -> tuple[Source, list[Diagnostic]]:
    """Read a YAML file without looking at its meaning."""
    text, problem = textfile.read(path)
    if text is None:
        return blank(str(path)), [problem] if problem else []
    return nodes.parse(text, str(path))


def read_text(text: str, model: type[Model], file: str) -> Parsed[Model]:
    """Do what `read_model` does with a text; `file` is only shown."""
    source, found = nodes.parse(text, file)
    return validate(source, model, found)


def validate(source: Source, model: type[Model], found: Iterable[Diagnostic]) -> Parsed[Model]:
    """Check the shape of data that was read, adding to the problems already found."""
    diagnostics = list(found)
    data = source.data
    if data is None and diagnostics:
        return Parsed(None, source, tidy(diagnostics))
    if isinstance(data, dict):
        # Room for anchors: keys that begin with x- mean nothing.
        data = {key: value for key, value in data.items() if not key.startswith("x-")}
    checked: Model | None = None
    try:
        checked = model.model_validate(data)
    except ValidationError as error:
        diagnostics += messages.translate(error, source, model)
    if any(item.is_error for item in diagnostics):
        checked = None
    return Parsed(checked, source, tidy(diagnostics))
