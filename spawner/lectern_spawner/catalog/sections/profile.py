"""A profile of a course: one choice that a person can start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
)

from lectern_spawner.catalog import messages, units
from lectern_spawner.catalog.reading import BY_FORM, ONE, SECTION, Many, Section
from lectern_spawner.catalog.sections.fields import (
    Bytes,
    BytesLike,
    CoresLike,
    Duration,
    Filled,
    Id,
    Mig,
    Percent,
    RoleName,
    Share,
    TextLike,
    choice,
    not_empty,
    one_or_many,
)
from lectern_spawner.catalog.sections.times import Window

APPS = ("jupyter", "vscode", "desktop", "octave", "matlab", "matlab-vnc", "matlab-web", "none")
ISOLATIONS = ("none", "memory", "compute", "hardware")

_ONE_OR_MANY = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "minItems": 1, "items": {"type": "string"}},
        ]
    }
)
Ids = Annotated[Many[Id], BeforeValidator(one_or_many), Filled, _ONE_OR_MANY]
Models = Annotated[
    Many[Annotated[str, AfterValidator(units.title)]],
    BeforeValidator(one_or_many),
    Filled,
    _ONE_OR_MANY,
]


class Gpu(Section):
    """What a server gets of GPUs: exactly one of share, memory, mig and count.

    With `count`, one of `share` and `memory` may be given too: that part of each card.
    """

    share: Share | None = Field(
        default=None, description="Part of a card, an exact fraction.", examples=["1/2", "1/4"]
    )
    memory: Bytes | None = Field(
        default=None, description="Memory of a card, at least.", examples=["4Gi", "2Gi"]
    )
    mig: Mig | None = Field(
        default=None, description="A MIG profile.", examples=["1g.10gb", "1g.5gb"]
    )
    count: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="Whole cards.", examples=[1, 2]
    )
    cores: Percent | None = Field(
        default=None,
        description="Part of a card's computing; as the pool is set if not given.",
        examples=["50%", "25%"],
    )
    pool: Ids | None = Field(
        default=None,
        description="Pools to take it from, the first that has room; all if not set.",
        examples=["lab", ["lab", "dgx"]],
    )
    model: Models | None = Field(
        default=None,
        description="Models of cards that will do; all of the pool if not set.",
        examples=["Tesla-T4", ["Tesla-T4", "NVIDIA-A10"]],
    )
    isolation: Annotated[str, *choice(*ISOLATIONS)] = Field(
        default="none",
        description="What must be kept apart from others on the same card, at least.",
        examples=["memory", "hardware"],
    )


def _no_gpu(value: object) -> tuple[Gpu, ...]:
    if value == "none":
        return ()
    got = f"got {messages.describe(value)}"
    words = "must be `none`, a section, or a list of sections in order of preference"
    raise messages.fault("LEC103", words, got=got, help="write for example `{share: 1/2}`")


def _one_gpu(gpu: Gpu) -> tuple[Gpu, ...]:
    return (gpu,)


def _gpu_form(value: object) -> str:
    if isinstance(value, list | tuple):
        return "@many"
    return "@section" if isinstance(value, dict | Gpu) else "@none"


_GpuForms = Annotated[
    Annotated[
        tuple[Gpu, ...],
        PlainValidator(_no_gpu, json_schema_input_type=Annotated[str, *choice("none")]),
        Tag("@none"),
    ]
    | Annotated[Gpu, AfterValidator(_one_gpu), Tag("@section")]
    | Annotated[Many[Gpu], BeforeValidator(not_empty), Tag("@many")],
    Discriminator(_gpu_form),
]
if TYPE_CHECKING:  # the validators make every form a tuple
    GpuLike = tuple[Gpu, ...]
else:
    GpuLike = _GpuForms
"""No GPU, one way to have one, or several in order of preference; a tuple in the model."""


class Program(Section):
    """A graphical program that a server opens on its desktop."""

    command: Annotated[
        Many[Annotated[str, PlainValidator(units.argument, json_schema_input_type=str)]], Filled
    ] = Field(
        description="The program and its arguments.",
        examples=[["gimp"], ["paraview", "--mesa"]],
    )
    title: TextLike = Field(
        description="What people read for it.", examples=["GIMP", {"en": "ParaView", "zh": "绘图"}]
    )


App = Annotated[
    Annotated[Annotated[str, *choice(*APPS)], ONE] | Annotated[Program, SECTION], BY_FORM
]


class Keep(Section):
    """How often a person may put off a stop."""

    times: Annotated[int, Field(ge=0, le=100)] = Field(description="How often.", examples=[2, 3])
    each: Duration = Field(description="For how long each time.", examples=["1h", "30m"])


class Idle(Section):
    """When a server that nobody uses is stopped."""

    warn: Duration | None = Field(
        default=None,
        description="Idle time after which the person is warned.",
        examples=["45m", "20m"],
    )
    stop: Duration | None = Field(
        default=None,
        description="Idle time after which the server is stopped.",
        examples=["60m", "30m"],
    )
    longest: Duration | None = Field(
        default=None,
        description="Time after which the server is stopped in any case, after a warning.",
        examples=["8h", "12h"],
    )
    keep: Keep | None = Field(
        default=None,
        description="How often a person may put off the stop.",
        examples=[{"times": 2, "each": "1h"}, {"times": 1, "each": "30m"}],
    )


Windows = Annotated[Many[Window], Filled]


def _when_form(value: object) -> str:
    return "@windows" if isinstance(value, list | tuple) else "@word"


When = Annotated[
    Annotated[Annotated[str, *choice("always", "lessons", "outside-lessons")], Tag("@word")]
    | Annotated[Windows, Tag("@windows")],
    Discriminator(_when_form),
]


class ProfileFile(Section):
    """One choice that a person can start."""

    title: TextLike = Field(
        description="What people read on the button.",
        examples=[{"en": "Notebook", "zh": "笔记本"}, "PyTorch on half a card"],
    )
    description: TextLike | None = Field(
        default=None,
        description="A line below the title.",
        examples=[{"en": "For the exercises", "zh": "用于练习"}, "For the project"],
    )
    image: str = Field(
        description="An image of the campus.", examples=["datascience", "gpu-pytorch"]
    )
    cpu: CoresLike = Field(
        description="Cores: one number, or what is guaranteed and what is the limit.",
        examples=[1, {"guarantee": 1, "limit": 2}],
    )
    memory: BytesLike = Field(
        description="Memory: one amount, or what is guaranteed and what is the limit.",
        examples=["2Gi", {"guarantee": "1Gi", "limit": "2Gi"}],
    )
    gpu: GpuLike = Field(
        default=(),
        description="What the server gets of GPUs; a list is an order of preference.",
        examples=[{"share": "1/2"}, [{"share": "1/2", "pool": "lab"}, {"count": 1}]],
    )
    app: App = Field(
        default="jupyter",
        description="What opens after the start.",
        examples=["desktop", {"command": ["gimp"], "title": "GIMP"}],
    )
    env: dict[
        Annotated[str, AfterValidator(units.environment_name)],
        Annotated[str, PlainValidator(units.environment_value, json_schema_input_type=str)],
    ] = Field(
        default_factory=dict,
        description="Environment variables of the server.",
        examples=[{"OMP_NUM_THREADS": "2"}, {"TF_CPP_MIN_LOG_LEVEL": "2"}],
    )
    idle: Idle | None = Field(
        default=None,
        description="When a server that nobody uses is stopped.",
        examples=[{"warn": "45m", "stop": "60m", "longest": "8h"}, {"longest": "4h"}],
    )
    license: Ids | None = Field(
        default=None,
        description="Licenses of the campus that a server needs one of each.",
        examples=["matlab", ["matlab", "simulink"]],
    )
    who: Annotated[Many[RoleName], Filled] = Field(
        default=("student", "assistant", "instructor"),
        description="Roles of the course that may start it.",
        examples=[["assistant", "instructor"], ["instructor"]],
    )
    when: When = Field(
        default="always",
        description="When it may be started, in the time zone of the course's calendar.",
        examples=["lessons", [{"from": "18:00", "to": "22:00"}]],
    )
    instead: Id | None = Field(
        default=None,
        description="Profile of the course that is offered while this one has no room.",
        examples=["notebook", "cpu"],
    )
