"""The shape of `campus.yaml` and of a course file, key by key.

Used by the loader through `reading.read_model`. What goes beyond one value (a
reference, two keys that contradict each other) is in `rules`.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, PlainValidator, Tag

from lectern_spawner.catalog import messages, units
from lectern_spawner.catalog.diagnostics import listed, suggest
from lectern_spawner.catalog.model import Role
from lectern_spawner.catalog.reading import BY_FORM, ONE, SECTION, Many, Section

KNOWN_LANGUAGES = ("en", "zh")

Id = Annotated[str, AfterValidator(units.identifier)]
Bytes = Annotated[int, PlainValidator(units.memory_bytes)]
Cores = Annotated[Fraction, PlainValidator(units.cores)]
Person = Annotated[str, PlainValidator(units.person)]
Line = Annotated[str, PlainValidator(units.title)]
GroupName = Annotated[str, AfterValidator(units.group_name)]


def _not_empty(value: object) -> object:
    if isinstance(value, dict | list | tuple) and not value:
        raise messages.fault("LEC105", "must not be empty", got="nothing here")
    return value


def _language(value: object) -> str:
    if value not in KNOWN_LANGUAGES:
        words = f"cannot be {messages.describe(value)}"
        expected = "expected one of `en`, `zh`"
        raise messages.fault("LEC104", words, got=expected)
    return str(value)


def _role(value: object) -> str:
    words = [role.value for role in Role]
    if value not in words:
        got = f"expected one of {listed(words)}"
        help_ = suggest(str(value), words) or ""
        help_ = help_ if help_.startswith("did") else ""
        raise messages.fault("LEC104", f"cannot be {messages.describe(value)}", got=got, help=help_)
    return str(value)


Filled = BeforeValidator(_not_empty)
LanguageName = Annotated[str, PlainValidator(_language)]
RoleName = Annotated[str, PlainValidator(_role)]
Titles = Annotated[dict[str, Line], Filled]
TextLike = Annotated[Annotated[Line, ONE] | Annotated[Titles, SECTION], BY_FORM]
"""One text for all languages, or a mapping from language to text."""


class CoresRange(Section):
    """CPU that is guaranteed and CPU that may be used."""

    guarantee: Cores
    limit: Cores


class BytesRange(Section):
    """Memory that is guaranteed and memory that may be used."""

    guarantee: Bytes
    limit: Bytes


def _same_cores(value: object) -> CoresRange:
    cores = units.cores(value)
    return CoresRange.model_construct(guarantee=cores, limit=cores)


def _same_bytes(value: object) -> BytesRange:
    amount = units.memory_bytes(value)
    return BytesRange.model_construct(guarantee=amount, limit=amount)


CoresLike = Annotated[
    Annotated[CoresRange, PlainValidator(_same_cores), ONE] | Annotated[CoresRange, SECTION],
    BY_FORM,
]
BytesLike = Annotated[
    Annotated[BytesRange, PlainValidator(_same_bytes), ONE] | Annotated[BytesRange, SECTION],
    BY_FORM,
]


class FromGroup(Section):
    """People who are in a group."""

    group: str


class FromCsv(Section):
    """People who stand in a roster file."""

    csv: Annotated[str, Field(min_length=1)]


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


class ImageFile(Section):
    """An image that profiles may name."""

    title: TextLike
    ref: Annotated[str, AfterValidator(units.image_reference)]


class StorageFile(Section):
    """A place that data comes from."""

    path: Annotated[str, Field(min_length=1), AfterValidator(units.storage_path)]
    title: TextLike | None = None


class PerPersonFile(Section):
    """What one person may have at the same time."""

    servers: Annotated[int, Field(ge=1, le=1000)] | None = None


class LargestFile(Section):
    """The most that a profile may ask for."""

    cpu: Cores | None = None
    memory: Bytes | None = None


class LimitsFile(Section):
    """Limits of the campus."""

    per_person: PerPersonFile = PerPersonFile()
    largest: LargestFile = LargestFile()


class CampusFile(Section):
    """`campus.yaml`."""

    languages: Annotated[Many[LanguageName], Filled]
    images: Annotated[dict[Id, ImageFile], Filled]
    storage: dict[Id, StorageFile] = Field(default_factory=dict)
    groups: dict[GroupName, Many[Person]] = Field(default_factory=dict)
    limits: LimitsFile = LimitsFile()


class TermFile(Section):
    """First and last day of a course, both included."""

    starts: date | None = None
    ends: date | None = None


class DataFile(Section):
    """A data set that the servers of a course see."""

    name: Id
    source: Annotated[str, AfterValidator(lambda value: units.data_source(value) and value)] = (
        Field(alias="from")
    )


class ProfileFile(Section):
    """One choice that a person can start."""

    title: TextLike
    image: str
    cpu: CoresLike
    memory: BytesLike
    description: TextLike | None = None
    env: dict[
        Annotated[str, AfterValidator(units.environment_name)],
        Annotated[str, PlainValidator(units.environment_value)],
    ] = Field(default_factory=dict)
    who: Annotated[Many[RoleName], Filled] = ("student", "assistant", "instructor")


class CourseFile(Section):
    """One course."""

    course: Id
    title: TextLike
    instructors: People
    profiles: Annotated[dict[Id, ProfileFile], Filled]
    assistants: People = ()
    students: People = ()
    term: TermFile = TermFile()
    data: Many[DataFile] = ()
