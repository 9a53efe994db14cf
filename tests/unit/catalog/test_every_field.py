"""Every key of every section: none is accepted and ignored."""

from __future__ import annotations

import re
import shutil
import typing
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from lectern_spawner import access
from lectern_spawner.access import Person, RefusedError
from lectern_spawner.catalog import load, messages
from lectern_spawner.catalog.reading import read_source
from lectern_spawner.catalog.sections.campus import CampusFile
from lectern_spawner.catalog.sections.course import CourseFile
from lectern_spawner.describe import surroundings
from lectern_spawner.plan import make_plan
from lectern_spawner.show import as_data

EVERYTHING = Path(__file__).parents[2] / "data" / "profiles" / "good" / "everything"
FILES = {"campus.yaml": CampusFile, "ml-101.yaml": CourseFile}
NOON = datetime.fromisoformat("2026-11-09T12:00+08:00")
PEOPLE = ("alice", "bob", "chen", "wang", "zhao", "carol")

# Keys of which no second value changes anything that can be seen. Each with its reason.
UNSEEN: dict[str, str] = {}


def sections(model: type[BaseModel], data: Any, where: tuple[Any, ...]) -> Iterator[Any]:
    """Yield (model, key, field, path) for every field of a section and below."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        yield model, key, field, (*where, key)
        if isinstance(data, dict) and key in data:
            yield from below(field.annotation, data[key], (*where, key))


def below(kind: Any, data: Any, where: tuple[Any, ...]) -> Iterator[Any]:
    for option in messages.leaves(kind):
        origin = typing.get_origin(option)
        if isinstance(option, type) and issubclass(option, BaseModel) and isinstance(data, dict):
            yield from sections(option, data, where)
        elif origin is dict and isinstance(data, dict):
            for key, item in data.items():
                yield from below(typing.get_args(option)[1], item, (*where, key))
        elif origin is tuple and isinstance(data, list):
            for index, item in enumerate(data):
                yield from below(typing.get_args(option)[0], item, (*where, index))


def cases() -> Iterator[Any]:
    for file, model in FILES.items():
        data = read_source(EVERYTHING / file)[0].data
        for owner, key, field, where in sections(model, data, ()):
            if key in at(data, where[:-1]):
                name = messages.dotted(where)
                yield pytest.param(file, where, field.examples or [], owner, id=f"{file}:{name}")


def at(data: Any, where: tuple[Any, ...]) -> Any:
    for part in where:
        data = data[part]
    return data


CASES = list(cases())


def parsed(value: Any) -> Any:
    """Return an example as YAML would read it: dates as dates."""
    if isinstance(value, dict):
        return {key: parsed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [parsed(item) for item in value]
    is_date = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)
    return date.fromisoformat(value) if is_date else value


def outcome(folder: Path) -> Any:
    """Return all that can be seen of a campus: its problems, and what everybody would get."""
    loaded = load(folder)
    # Without lines and columns, which the changed key alone would change.
    seen: list[Any] = [(d.code, d.message, d.label, d.help, d.path) for d in loaded.diagnostics]
    catalog = loaded.catalog
    for course in catalog.courses.values() if catalog else ():
        for profile in course.profiles:
            for name in PEOPLE:
                person = Person(name=name)
                options = {"profile": f"{course.id}/{profile}"}
                try:
                    grant = access.decide(catalog, person, options, NOON)
                except RefusedError as refused:
                    seen.append(str(refused))
                    continue
                plan = make_plan(grant, person, catalog.campus, NOON)
                seen.append(as_data(plan))
                seen.append(surroundings(grant.course, grant.profile, catalog.campus))
    return repr(seen).replace(str(folder.resolve()), "")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "campus"
    shutil.copytree(EVERYTHING, folder)
    for file in FILES:
        write(folder / file, read_source(folder / file)[0].data)
    assert outcome(folder) == outcome(EVERYTHING)
    return outcome(folder)


def write(file: Path, data: Any) -> None:
    file.write_text(
        yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=200), encoding="utf-8"
    )


def test_the_campus_with_everything_has_every_key():
    for file, model in FILES.items():
        data = read_source(EVERYTHING / file)[0].data
        missing = {f"{owner.__name__}.{key}" for owner, key, *_ in sections(model, data, ())}
        for owner, key, _field, where in sections(model, data, ()):
            try:
                at(data, where)
            except (KeyError, IndexError, TypeError):
                continue
            missing.discard(f"{owner.__name__}.{key}")
        assert missing == set()


@pytest.mark.parametrize(("file", "where", "examples", "owner"), CASES)
def test_every_key_is_described_with_examples(file, where, examples, owner):
    field = next(
        field for name, field in owner.model_fields.items() if where[-1] in (name, field.alias)
    )
    assert field.description, f"{owner.__name__}.{where[-1]} has no description"
    assert field.description.endswith(".")
    assert examples, f"{owner.__name__}.{where[-1]} has no example"


@pytest.mark.parametrize(("file", "where", "examples", "owner"), CASES)
def test_another_value_of_a_key_is_seen(file, where, examples, owner, base, tmp_path):
    folder = tmp_path / "campus"
    shutil.copytree(EVERYTHING, folder)
    data = read_source(folder / file)[0].data
    parent = at(data, where[:-1])
    other = [example for example in parsed(examples) if example != parent[where[-1]]]
    assert other, f"no example differs from {parent[where[-1]]!r}"
    parent[where[-1]] = other[0]
    write(folder / file, data)
    assert (outcome(folder) != base) != (messages.dotted(where) in UNSEEN)
