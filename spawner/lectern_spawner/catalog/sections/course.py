"""A course file: people, homes, data, timetable, profiles, grading."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from lectern_spawner.catalog import units
from lectern_spawner.catalog.reading import Many, Section
from lectern_spawner.catalog.sections.fields import (
    Bytes,
    Day,
    Filled,
    Id,
    People,
    TextLike,
    choice,
)
from lectern_spawner.catalog.sections.grading import Grading
from lectern_spawner.catalog.sections.profile import ProfileFile
from lectern_spawner.catalog.sections.times import Exam, Lessons

DataSource = Annotated[str, AfterValidator(lambda value: units.data_source(value) and value)]


class Term(Section):
    """First and last day of a course, both included."""

    starts: Day | None = Field(
        default=None,
        description="First day; without it the course has begun.",
        examples=["2026-09-07", "2026-10-05"],
    )
    ends: Day | None = Field(
        default=None,
        description="Last day, included; without it the course goes on.",
        examples=["2027-01-15", "2027-02-12"],
    )


class Home(Section):
    """Where the homes of a course's servers lie."""

    server: Id = Field(description="A storage of the campus.", examples=["nas", "homes"])
    quota: Bytes | None = Field(
        default=None,
        description="Most that one home may hold; the storage must keep quotas.",
        examples=["20Gi", "50Gi"],
    )


class DataFile(Section):
    """A data set that the servers of a course see."""

    name: Id = Field(description="Id of the data set.", examples=["iris", "mnist"])
    source: DataSource = Field(
        alias="from",
        description="A storage of the campus and a path in it.",
        examples=["teaching:/iris", "nas:/datasets/mnist"],
    )
    write: Annotated[str, *choice("nobody", "staff")] = Field(
        default="nobody",
        description="Who may change it; everybody of the course may read it.",
        examples=["staff", "nobody"],
    )


class Shared(Section):
    """A folder that everybody in a course has."""

    source: DataSource = Field(
        alias="from",
        description="A storage of the campus and a path in it.",
        examples=["nas:/shared/ml-101", "teaching:/shared"],
    )
    write: Annotated[str, *choice("staff", "everybody")] = Field(
        default="staff", description="Who may change it.", examples=["everybody", "staff"]
    )


class CourseFile(Section):
    """One course."""

    course: Id = Field(description="Id of the course.", examples=["ml-101", "py-100"])
    title: TextLike = Field(
        description="What people read for the course.",
        examples=[{"en": "Machine Learning", "zh": "机器学习"}, "Python"],
    )
    term: Term = Field(
        default=Term(),
        description="First and last day of the course.",
        examples=[{"starts": "2026-09-07", "ends": "2027-01-15"}, {"ends": "2027-02-12"}],
    )
    instructors: People = Field(
        description="Who teaches the course.", examples=[["chen"], ["chen", "wang"]]
    )
    assistants: People = Field(
        default=(),
        description="Who helps.",
        examples=[{"group": "staff/ml-101"}, ["zhao", "carol"]],
    )
    students: People = Field(
        default=(),
        description="Who learns.",
        examples=[{"csv": "rosters/ml-101.csv"}, ["alice", "bob", "carol"]],
    )
    home: Home | None = Field(
        default=None,
        description="Where homes lie; on one machine always in the state folder.",
        examples=[{"server": "nas", "quota": "20Gi"}, {"server": "homes"}],
    )
    data: Many[DataFile] = Field(
        default=(),
        description="Data sets that servers see.",
        examples=[
            [{"name": "iris", "from": "teaching:/iris"}],
            [{"name": "mnist", "from": "nas:/datasets/mnist"}],
        ],
    )
    shared: Shared | None = Field(
        default=None,
        description="A folder that everybody in the course has.",
        examples=[{"from": "nas:/shared/ml-101"}, {"from": "nas:/ml-101", "write": "everybody"}],
    )
    lessons: Lessons | None = Field(
        default=None,
        description="The timetable.",
        examples=[{"weekly": [{"day": "tue", "from": "10:00", "to": "11:40"}]}],
    )
    exams: Many[Exam] = Field(
        default=(),
        description="Windows of time in which exams are written.",
        examples=[[{"name": "midterm", "starts": "2026-11-10T09:00", "ends": "2026-11-10T11:00"}]],
    )
    profiles: Annotated[dict[Id, ProfileFile], Filled] = Field(
        description="What people can start, in the order of the page.",
        examples=[
            {"notebook": {"title": "Notebook", "image": "datascience", "cpu": 1, "memory": "2Gi"}}
        ],
    )
    grading: Grading | None = Field(
        default=None,
        description="How work is collected and graded.",
        examples=[
            {"profile": "notebook", "late": [{"until": "+24h", "penalty": "10%"}]},
            {"assignments": {"ps1": {"due": "2026-11-20T23:59"}}},
        ],
    )
