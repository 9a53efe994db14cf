"""Kinds of values that several sections use, with what an editor is told about them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
)

from lectern_spawner.catalog import addresses, messages, moments, shares, units
from lectern_spawner.catalog.diagnostics import listed, suggest
from lectern_spawner.catalog.reading import BY_FORM, ONE, SECTION, Many, Section
from lectern_spawner.catalog.roles import Role

KNOWN_LANGUAGES = ("en", "zh")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _text(pattern: str = "") -> WithJsonSchema:
    """Return what an editor is told about a value that is written as text."""
    return WithJsonSchema({"type": "string"} | ({"pattern": f"^({pattern})$"} if pattern else {}))


def not_empty(value: object) -> object:
    """Refuse a list or section with nothing in it."""
    if isinstance(value, dict | list | tuple) and not value:
        raise messages.fault("LEC105", "must not be empty", got="nothing here")
    return value


def one_of(*words: str) -> Any:  # noqa: ANN401 - metadata for Annotated
    """Return the validator of a text that is one of a few words."""

    def check(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        close = suggest(str(value), words) or ""
        help_ = close if close.startswith("did") else ""
        got = f"expected one of {listed(words)}"
        shown = messages.describe(value)
        raise messages.fault("LEC104", f"cannot be {shown}", got=got, help=help_)

    return PlainValidator(check, json_schema_input_type=str)


def choice(*words: str) -> tuple[Any, Any]:
    """Return validator and editor's list of a text that is one of a few words."""
    return one_of(*words), WithJsonSchema({"enum": list(words)})


Filled = BeforeValidator(not_empty)
Id = Annotated[str, AfterValidator(units.identifier), _text(r"[a-z][a-z0-9-]{0,29}")]
Bytes = Annotated[int, PlainValidator(units.memory_bytes), _text(r"[0-9]{1,7}(Ki|Mi|Gi|Ti)")]
Cores = Annotated[
    Fraction,
    PlainValidator(units.cores),
    WithJsonSchema({"type": "number", "minimum": 0.1, "maximum": units.MOST_CORES}),
]
Person = Annotated[str, PlainValidator(units.person), _text()]
Line = Annotated[str, PlainValidator(units.title), _text()]
GroupName = Annotated[str, AfterValidator(units.group_name), _text(r"[A-Za-z0-9/_.:-]{1,100}")]
Duration = Annotated[timedelta, PlainValidator(moments.duration), _text(moments.DURATION_PATTERN)]
Offset = Annotated[
    timedelta, PlainValidator(moments.offset), _text(r"\+" + moments.DURATION_PATTERN)
]
Clock = Annotated[time, PlainValidator(moments.clock), _text(r"[0-2][0-9]:[0-5][0-9]")]
Moment = Annotated[
    datetime,
    PlainValidator(moments.date_time),
    _text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"),
]
Day = Annotated[
    date, AfterValidator(moments.day), WithJsonSchema({"type": "string", "format": "date"})
]
_Numbers = WithJsonSchema({"type": ["string", "integer"]})
Weeks = Annotated[tuple[int, ...], PlainValidator(moments.weeks), _Numbers]
Periods = Annotated[tuple[int, ...], PlainValidator(moments.periods), _Numbers]
Share = Annotated[
    Fraction,
    PlainValidator(shares.share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^({shares.SHARE_PATTERN})$"},
                {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            ]
        }
    ),
]
Percent = Annotated[Fraction, PlainValidator(shares.percent), _text(shares.PERCENT_PATTERN)]
Mig = Annotated[str, AfterValidator(shares.mig), _text(shares.MIG_PATTERN)]
LabelKey = Annotated[str, AfterValidator(addresses.label_key), _text()]
LabelValue = Annotated[str, PlainValidator(addresses.label_value), _text()]
LanguageName = Annotated[str, *choice(*KNOWN_LANGUAGES)]
RoleName = Annotated[str, *choice(*(role.value for role in Role))]
Weekday = Annotated[str, *choice(*WEEKDAYS)]
Titles = Annotated[dict[str, Line], Filled]
TextLike = Annotated[Annotated[Line, ONE] | Annotated[Titles, SECTION], BY_FORM]
"""One text for all languages, or a mapping from language to text."""


class CoresRange(Section):
    """CPU that is guaranteed and CPU that may be used."""

    guarantee: Cores = Field(description="Cores that are always there.", examples=[0.5, 1])
    limit: Cores = Field(description="Cores that may be used when free.", examples=[2, 4])


class BytesRange(Section):
    """Memory that is guaranteed and memory that may be used."""

    guarantee: Bytes = Field(description="Memory that is always there.", examples=["1Gi", "512Mi"])
    limit: Bytes = Field(
        description="Memory that may be used; a program that needs more is stopped.",
        examples=["2Gi", "4Gi"],
    )


def _same_cores(value: object) -> CoresRange:
    cores = units.cores(value)
    return CoresRange.model_construct(guarantee=cores, limit=cores)


def _same_bytes(value: object) -> BytesRange:
    amount = units.memory_bytes(value)
    return BytesRange.model_construct(guarantee=amount, limit=amount)


CoresLike = Annotated[
    Annotated[CoresRange, PlainValidator(_same_cores, json_schema_input_type=Cores), ONE]
    | Annotated[CoresRange, SECTION],
    BY_FORM,
]
BytesLike = Annotated[
    Annotated[BytesRange, PlainValidator(_same_bytes, json_schema_input_type=Bytes), ONE]
    | Annotated[BytesRange, SECTION],
    BY_FORM,
]


class FromGroup(Section):
    """People who are in a group."""

    group: str = Field(
        description="A group of the campus.",
        examples=["staff/ml-101", "course:ml-101"],
    )


class FromCsv(Section):
    """People who stand in a roster file."""

    csv: Annotated[str, Field(min_length=1)] = Field(
        description="A CSV file in the campus folder with a column `name`.",
        examples=["rosters/ml-101.csv", "rosters/ml.csv"],
    )


def _people_kind(value: object) -> str:
    if isinstance(value, FromCsv) or (isinstance(value, dict) and "csv" in value):
        return "@csv"
    return "@group" if isinstance(value, dict | FromGroup) else "@names"


def _list_of_names(value: object) -> object:
    if isinstance(value, list | tuple):
        return value
    words = "must be a list of names, {group: NAME} or {csv: FILE}"
    help_ = f"write `[{value}]`" if isinstance(value, str) else ""
    raise messages.fault("LEC103", words, got=f"got {messages.describe(value)}", help=help_)


People = Annotated[
    Annotated[Many[Person], BeforeValidator(_list_of_names), Tag("@names")]
    | Annotated[FromGroup, Tag("@group")]
    | Annotated[FromCsv, Tag("@csv")],
    Discriminator(_people_kind),
]


NamesOrGroup = Annotated[
    Annotated[Many[Person], BeforeValidator(_list_of_names), Tag("@names")]
    | Annotated[FromGroup, Tag("@group")],
    Discriminator(_people_kind),
]


def one_or_many(value: object) -> object:
    """Take one item for a list of one."""
    return value if isinstance(value, list | tuple) else (value,)
