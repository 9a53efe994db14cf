"""`grading` of a course: when work is due, what lateness costs, how it is run."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from lectern_spawner.catalog import units
from lectern_spawner.catalog.reading import Many, Section
from lectern_spawner.catalog.sections.fields import (
    Bytes,
    Duration,
    Filled,
    Id,
    Moment,
    Offset,
    Percent,
    Person,
    TextLike,
    choice,
)

Attempts = Annotated[int, Field(ge=1, le=1000)]
FilePattern = Annotated[str, AfterValidator(units.file_pattern)]


class LateStep(Section):
    """One step of what lateness costs."""

    until: Offset = Field(
        description="Up to this long after the due time.", examples=["+24h", "+72h"]
    )
    penalty: Percent = Field(
        description="Part of the points that is taken off.", examples=["10%", "30%"]
    )


class Extension(Section):
    """More time for some people."""

    people: Annotated[Many[Person], Filled] = Field(
        description="Who gets more time.", examples=[["alice"], ["alice", "bob"]]
    )
    until: Offset = Field(description="Added to the due time.", examples=["+48h", "+7d"])


class Policy(Section):
    """Rules of handing in, of a course or of one assignment."""

    grace: Duration | None = Field(
        default=None,
        description="Lateness that nobody is punished for.",
        examples=["10m", "30m"],
    )
    late: Many[LateStep] | None = Field(
        default=None,
        description="What lateness costs, step by step; nothing is taken after the last step.",
        examples=[
            [{"until": "+24h", "penalty": "10%"}],
            [{"until": "+24h", "penalty": "10%"}, {"until": "+72h", "penalty": "30%"}],
        ],
    )
    attempts: Attempts | None = Field(
        default=None, description="How often a person may submit.", examples=[5, 3]
    )
    cooldown: Duration | None = Field(
        default=None, description="Time between two submissions.", examples=["10m", "1h"]
    )
    counts: Annotated[str, *choice("last", "best", "first")] | None = Field(
        default=None, description="Which submission counts.", examples=["last", "best"]
    )
    instant_feedback: Annotated[str, *choice("off", "visible", "all")] | None = Field(
        default=None,
        description="Which tests a person sees the result of at once.",
        examples=["visible", "off"],
    )
    hidden_tests: Annotated[str, *choice("never", "after_due", "after_release")] | None = Field(
        default=None, description="When hidden tests are shown.", examples=["after_due", "never"]
    )
    files: Annotated[Many[FilePattern], Filled] | None = Field(
        default=None,
        description="Files that may be submitted beside the notebooks.",
        examples=[["*.py"], ["*.py", "data/*.csv"]],
    )
    max_size: Bytes | None = Field(
        default=None, description="Largest submission.", examples=["20Mi", "100Mi"]
    )
    cell_timeout: Duration | None = Field(
        default=None, description="Longest time for one cell.", examples=["60s", "5m"]
    )
    run_timeout: Duration | None = Field(
        default=None, description="Longest time for one submission.", examples=["10m", "30m"]
    )
    extensions: Many[Extension] = Field(
        default=(),
        description="More time for some people.",
        examples=[[{"people": ["alice"], "until": "+48h"}], [{"people": ["bob"], "until": "+7d"}]],
    )


class Assignment(Policy):
    """One assignment; what is not said here is as the course says."""

    title: TextLike | None = Field(
        default=None,
        description="What people read for it.",
        examples=[{"en": "Regression", "zh": "回归"}, "Trees"],
    )
    due: Moment | None = Field(
        default=None,
        description="When it is due, in the time zone of the course's calendar.",
        examples=["2026-11-20T23:59", "2026-12-04T18:00"],
    )
    closes: Moment | None = Field(
        default=None,
        description="After this nothing is taken; after the last late step if not set.",
        examples=["2026-11-23T23:59", "2026-12-07T18:00"],
    )


class Grading(Policy):
    """How the work of a course is collected and graded."""

    profile: Id | None = Field(
        default=None,
        description="Profile whose image and size the runs have; the course's first if not set.",
        examples=["notebook", "gpu"],
    )
    anonymous: bool = Field(
        default=False,
        description="Whether names are hidden from those who mark by hand.",
        examples=[True, False],
    )
    teams: bool = Field(
        default=False,
        description="Whether one submission counts for everybody in a team of the roster.",
        examples=[True, False],
    )
    assignments: dict[Id, Assignment] = Field(
        default_factory=dict,
        description="Assignments, by nbgrader's name.",
        examples=[{"ps1": {"due": "2026-11-20T23:59"}}, {"ps1": {"due": "2026-12-04T18:00"}}],
    )
