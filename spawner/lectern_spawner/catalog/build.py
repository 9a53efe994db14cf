"""Make the immutable campus and courses from files that passed every check.

Called by the loader.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from lectern_spawner.catalog import units
from lectern_spawner.catalog.files import CampusFile, CourseFile, ProfileFile
from lectern_spawner.catalog.model import (
    Amount,
    Campus,
    Course,
    DataSet,
    Image,
    Limits,
    People,
    Profile,
    Role,
    Storage,
    Text,
)
from lectern_spawner.catalog.source import Source


def campus(file: CampusFile, path: Path, source: Source) -> Campus:
    """Return the campus; relative storage paths start at the folder of its file."""
    default = file.languages[0]
    return Campus(
        languages=file.languages,
        images=MappingProxyType(
            {
                name: Image(title=text(image.title, default), ref=image.ref)
                for name, image in file.images.items()
            }
        ),
        storage=MappingProxyType(
            {
                name: Storage(
                    path=Path(os.path.realpath(path.parent / entry.path)),
                    title=None if entry.title is None else text(entry.title, default),
                )
                for name, entry in file.storage.items()
            }
        ),
        groups=MappingProxyType({name: frozenset(who) for name, who in file.groups.items()}),
        limits=Limits(
            servers_per_person=file.limits.per_person.servers,
            largest_cpu=file.limits.largest.cpu,
            largest_memory_bytes=file.limits.largest.memory,
        ),
        file=path,
        source=source,
    )


def course(
    file: CourseFile, path: Path, source: Source, people: Mapping[Role, People], default: str
) -> Course:
    """Return a course; `default` is the campus's first language."""
    return Course(
        id=file.course,
        title=text(file.title, default),
        starts=file.term.starts,
        ends=file.term.ends,
        people=MappingProxyType(dict(people)),
        data=tuple(_data_set(entry.name, entry.source) for entry in file.data),
        profiles=MappingProxyType(
            {name: _profile(name, entry, default) for name, entry in file.profiles.items()}
        ),
        file=path,
        source=source,
    )


def text(raw: str | Mapping[str, str], default: str) -> Text:
    """Return a text that is written once for all languages or once per language."""
    pairs = (("", raw),) if isinstance(raw, str) else tuple(raw.items())
    return Text(pairs, default)


def _data_set(name: str, source: str) -> DataSet:
    storage, path = units.data_source(source)
    return DataSet(name=name, storage=storage, path=path)


def _profile(name: str, file: ProfileFile, default: str) -> Profile:
    return Profile(
        id=name,
        title=text(file.title, default),
        description=None if file.description is None else text(file.description, default),
        image=file.image,
        cpu=Amount(file.cpu.guarantee, file.cpu.limit),
        memory=Amount(file.memory.guarantee, file.memory.limit),
        env=MappingProxyType(dict(file.env)),
        who=frozenset(Role(role) for role in file.who),
    )
