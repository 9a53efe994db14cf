"""Make the immutable campus and courses from files that passed every check.

Called by the loader.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from lectern_spawner.catalog import units
from lectern_spawner.catalog.model import (
    Amount,
    Campus,
    Course,
    DataSet,
    Image,
    Limits,
    People,
    Profile,
    Storage,
    Text,
)
from lectern_spawner.catalog.roles import Role
from lectern_spawner.catalog.sections.campus import CampusFile, ImageFile, LimitsFile, StorageFile
from lectern_spawner.catalog.sections.course import CourseFile, DataFile
from lectern_spawner.catalog.sections.profile import ProfileFile
from lectern_spawner.catalog.source import Source


def campus(file: CampusFile, path: Path, source: Source) -> Campus:
    """Return the campus; relative storage paths start at the folder of its file."""
    default = file.languages[0]
    images = {name: _image(image, default) for name, image in file.images.items()}
    storage = {name: _storage(entry, path.parent, default) for name, entry in file.storage.items()}
    return Campus(
        languages=file.languages,
        images=MappingProxyType(images),
        storage=MappingProxyType(storage),
        groups=MappingProxyType({name: frozenset(who) for name, who in file.groups.items()}),
        limits=_limits(file.limits),
        gpu_pools=MappingProxyType(file.gpu_pools),
        calendars=MappingProxyType(file.calendars),
        licenses=MappingProxyType(file.licenses),
        editors=file.editors,
        file=path,
        source=source,
    )


def _image(file: ImageFile, default: str) -> Image:
    capabilities = frozenset(file.capabilities)
    return Image(title=text(file.title, default), ref=file.ref, capabilities=capabilities)


def _storage(file: StorageFile, folder: Path, default: str) -> Storage:
    return Storage(
        path=None if file.path is None else Path(os.path.realpath(folder / file.path)),
        title=None if file.title is None else text(file.title, default),
        nfs=file.nfs,
        squash=file.squash,
        mount_options=file.mount_options,
        quotas=file.quotas,
    )


def _limits(file: LimitsFile) -> Limits:
    return Limits(
        largest=file.largest,
        servers_per_person=file.per_person.servers,
        gpu_servers_per_person=file.per_person.gpu,
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
        home=file.home,
        data=tuple(_data_set(entry) for entry in file.data),
        shared=file.shared,
        lessons=file.lessons,
        exams=file.exams,
        profiles=MappingProxyType(
            {name: _profile(name, entry, default) for name, entry in file.profiles.items()}
        ),
        grading=file.grading,
        file=path,
        source=source,
    )


def text(raw: str | Mapping[str, str], default: str) -> Text:
    """Return a text that is written once for all languages or once per language."""
    pairs = (("", raw),) if isinstance(raw, str) else tuple(raw.items())
    return Text(pairs, default)


def _data_set(file: DataFile) -> DataSet:
    storage, path = units.data_source(file.source)
    return DataSet(name=file.name, storage=storage, path=path, write=file.write)


def _profile(name: str, file: ProfileFile, default: str) -> Profile:
    return Profile(
        id=name,
        title=text(file.title, default),
        description=None if file.description is None else text(file.description, default),
        image=file.image,
        cpu=Amount(file.cpu.guarantee, file.cpu.limit),
        memory=Amount(file.memory.guarantee, file.memory.limit),
        gpu=file.gpu,
        app=file.app,
        env=MappingProxyType(file.env),
        idle=file.idle,
        licenses=file.license or (),
        who=frozenset(Role(role) for role in file.who),
        when=file.when,
        instead=file.instead,
    )
