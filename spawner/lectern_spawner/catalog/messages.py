"""Put pydantic's errors into this project's words, at their place in the file.

Called by `reading`. A type of ours raises `fault(...)`, which carries code, words
and help; the table below is for pydantic's own kinds of error.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Unpack

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from lectern_spawner.catalog import foreign
from lectern_spawner.catalog.diagnostics import (
    Diagnostic,
    More,
    Note,
    Place,
    closest,
    listed,
    shorten,
    suggest,
)
from lectern_spawner.catalog.source import Source, Where

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "`true` or `false`",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a section of keys and values",
    "model_type": "a section of keys and values",
    "model_attributes_type": "a section of keys and values",
    "date_type": "a date such as `2026-09-07`",
    "date_from_datetime_inexact": "a date such as `2026-09-07`",
}
# Far more than are shown; looking for what was meant takes its time for each.
MOST_PROBLEMS = 500
_LIKE_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}


def fault(
    code: str, words: str, *, got: str = "", help: str = "", on_key: bool = False
) -> PydanticCustomError:
    """Return an error for a validator to raise.

    Args:
        code: one of `diagnostics.CODES`.
        words: what is wrong, read after the path: "`memory` <words>".
        got: short words beside the marked text.
        help: the one likely repair.
        on_key: mark the key instead of the value.
    """
    context = {"words": words, "got": got, "help": help, "on_key": on_key}
    # The template would treat braces in somebody's text as its own.
    return PydanticCustomError(typing.cast("Any", code), "{words}", context)


def translate(
    error: ValidationError, source: Source, model: type[BaseModel]
) -> Iterator[Diagnostic]:
    """Yield a diagnostic for every error that does not follow from one already reported."""
    items = error.errors(include_url=False)[:MOST_PROBLEMS]
    misspelt = set(_misspelt(items, model))
    for item in items:
        where, on_key = _where(item["loc"])
        if any(where[:length] in source.broken for length in range(len(where) + 1)):
            continue
        if item["type"] == "missing" and where in misspelt:
            continue
        yield _translate(item, source, where, on_key, model)


def _misspelt(items: list[ErrorDetails], model: type[BaseModel]) -> Iterator[Where]:
    """Yield the keys that are there under a wrong spelling, so that they are not missing too."""
    for item in items:
        if item["type"] == "extra_forbidden":
            where, _ = _where(item["loc"])
            wrong = str(where[-1])
            likely = foreign.meant(wrong) or closest(wrong, fields_at(model, where[:-1]))
            if likely is not None:
                yield (*where[:-1], likely)


def dotted(where: Where) -> str:
    """Return a path the way people write it: ``profiles.gpu.env``, ``data[0].name``."""
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return shorten(text.removeprefix("."), 120)


def at_value(
    source: Source, where: Where, code: str, message: str, **more: Unpack[More]
) -> Diagnostic:
    """Return a diagnostic whose mark is the value at a path of a file."""
    return _at(source, where, source.value(where), code, message, more)


def at_key(
    source: Source, where: Where, code: str, message: str, **more: Unpack[More]
) -> Diagnostic:
    """Return a diagnostic whose mark is the key at a path of a file."""
    return _at(source, where, source.key(where), code, message, more)


def _at(
    source: Source,
    where: Where,
    place: Place | None,
    code: str,
    message: str,
    more: More,
) -> Diagnostic:
    use = source.use(where)
    if use is not None:
        more["notes"] = (*more.get("notes", ()), Note("used here", use))
    return Diagnostic(
        code=code,
        message=message,
        file=source.file,
        at=place,
        path=dotted(where),
        **more,
    )


def _where(loc: tuple[int | str, ...]) -> tuple[Where, bool]:
    """Return the path in the data, and whether a key of a mapping is meant."""
    plain = tuple(part for part in loc if not (isinstance(part, str) and part[:1] == "@"))
    if plain and plain[-1] == "[key]":
        return plain[:-1], True
    return plain, False


def _translate(
    item: ErrorDetails, source: Source, where: Where, on_key: bool, model: type[BaseModel]
) -> Diagnostic:
    kind = item["type"]
    if kind.startswith("LEC"):
        return _own(item, source, where, on_key)
    if kind == "extra_forbidden":
        return _unknown_key(source, where, model)
    if kind == "missing":
        return _missing_key(source, where)
    name = f"`{dotted(where)}`" if where else "the file"
    code, words, label, help_ = _generic(item)
    make = at_key if on_key else at_value
    return make(source, where, code, f"{name} {words}", label=label, help=help_)


def _own(item: ErrorDetails, source: Source, where: Where, on_key: bool) -> Diagnostic:
    context = item.get("ctx", {})
    name = f"`{dotted(where)}`" if where else "the file"
    make: Callable[..., Diagnostic] = at_key if on_key or context.get("on_key") else at_value
    return make(
        source,
        where,
        item["type"],
        f"{name} {context.get('words', '')}",
        label=str(context.get("got", "")),
        help=str(context.get("help", "")) or None,
    )


def _unknown_key(source: Source, where: Where, model: type[BaseModel]) -> Diagnostic:
    section = _section(where[:-1])
    wrong = str(where[-1])
    if foreign.is_dangerous(wrong):
        message = f"`{wrong}` would let a server out of its place"
        return at_key(source, where, "LEC407", message, label="never possible here")
    if (advice := foreign.advice(wrong)) is not None:
        message = f"`{wrong}`{section} is a key of another system"
        label = "not a key of this section"
        return at_key(source, where, "LEC116", message, label=label, help=advice)
    return at_key(
        source,
        where,
        "LEC101",
        f"unknown key `{shorten(wrong)}`{section}",
        label="not a key of this section",
        help=suggest(wrong, fields_at(model, where[:-1])),
    )


def _missing_key(source: Source, where: Where) -> Diagnostic:
    parent = where[:-1]
    message = f"missing key `{where[-1]}`{_section(parent)}"
    if not parent:
        return Diagnostic(code="LEC102", message=message, file=source.file, path=str(where[-1]))
    if parent in source.keys:
        return at_key(source, parent, "LEC102", message, label=f"needs `{where[-1]}`")
    return at_value(source, parent, "LEC102", message, label=f"needs `{where[-1]}`")


def _section(where: Where) -> str:
    return f" in `{dotted(where)}`" if where else ""


def _generic(item: ErrorDetails) -> tuple[str, str, str, str | None]:
    """Return code, words, label and help for one of pydantic's own errors."""
    kind, context, value = item["type"], item.get("ctx", {}), item.get("input")
    if kind in _KINDS:
        return "LEC103", f"must be {_KINDS[kind]}", f"got {describe(value)}", None
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return "LEC106", f"must be {words} {context[key]}", f"got {shorten(value)}", None
    if kind in ("literal_error", "enum"):
        return _choice(context, value)
    if kind in ("too_short", "string_too_short"):
        return "LEC105", "must not be empty", "nothing here", None
    if kind in ("too_long", "string_too_long"):
        return "LEC107", f"may have at most {context['max_length']}", "longer", None
    if kind == "string_pattern_mismatch":
        return "LEC109", f"does not fit the pattern `{context['pattern']}`", "", None
    if kind.startswith("date_"):
        return "LEC209", "must be a date such as `2026-09-07`", f"got {describe(value)}", None
    if kind in ("value_error", "assertion_error"):
        reason = str(context.get("error", "")).rstrip(".") or "is not accepted"
        return "LEC109", shorten(reason, 200), "", None
    return "LEC109", f"is not accepted: {item['msg'][:1].lower()}{item['msg'][1:]}", "", None


def _choice(context: Mapping[str, Any], value: object) -> tuple[str, str, str, str | None]:
    words = str(context["expected"]).replace(" or ", ", ").split(", ")
    options = [word.strip("'") for word in words]
    close = suggest(str(value), options)
    help_ = close if close and close.startswith("did you") else None
    expected = f"expected one of {listed(options)}"
    return "LEC104", f"cannot be `{shorten(value)}`", expected, help_


def describe(value: object) -> str:
    """Return what kind of value somebody wrote, in YAML's words."""
    if value is None:
        return "nothing"
    if isinstance(value, str) and _LIKE_NUMBER.fullmatch(value):
        return f'`"{value}"`, which is text'
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "a section of keys and values"
    if isinstance(value, list | tuple):
        return "a list"
    return f"`{shorten(value)}`"


def fields_at(model: type[BaseModel], where: Where) -> set[str]:
    """Return the keys that a section of a model may have, following a path of the data."""
    found: set[type[BaseModel]] = {model}
    inside: list[Any] = [model]
    for part in where:
        inside = [step for kind in inside for step in _step(kind, part)]
        found = {kind for kind in inside if isinstance(kind, type)}
    return {name for kind in found for name in _keys(kind)}


def _keys(kind: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items()]


def _step(kind: object, part: str | int) -> list[Any]:
    """Return the models that lie one step further down."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part in (name, field.alias):
                return list(leaves(field.annotation))
        return []
    # A container: the key or position was used up to come to its items.
    arguments = typing.get_args(kind)
    return list(leaves(arguments[-1] if isinstance(part, str) else arguments[0]))


def leaves(kind: object) -> Iterator[Any]:
    """Yield the models and containers that an annotation allows."""
    if isinstance(kind, typing.TypeAliasType if hasattr(typing, "TypeAliasType") else ()):
        yield from leaves(kind.__value__)
        return
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        yield from leaves(typing.get_args(kind)[0])
    elif origin in (typing.Union, types.UnionType):
        for option in typing.get_args(kind):
            yield from leaves(option)
    elif (
        origin in (dict, list, tuple)
        or (isinstance(origin, type) and issubclass(origin, Mapping))
        or isinstance(kind, type)
        and issubclass(kind, BaseModel)
    ):
        yield kind
