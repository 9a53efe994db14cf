"""A small campus in memory, for tests that need no server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lectern_spawner.access import Person
from lectern_spawner.catalog import load

CAMPUS = """\
languages: [en, zh]
images:
  base: {title: Base, ref: "lectern/base:1"}
storage:
  nas: {path: data}
groups:
  helpers: [zhao]
limits:
  per_person: {servers: 2}
"""

COURSE = """\
course: ml-101
title: {en: Machine <b>Learning</b>, zh: 机器学习}
term: {starts: 2026-09-01, ends: 2027-01-15}
instructors: [chen]
assistants: {group: helpers}
students: [alice, bob]
data:
  - {name: iris, from: "nas:/sets/iris"}
profiles:
  notebook: {title: Notebook, image: base, cpu: 1, memory: 2Gi, env: {MODE: "{x} %s"}}
  big: {title: Big, image: base, cpu: {guarantee: 0.5, limit: 2}, memory: {guarantee: 1Gi, limit: 4Gi}}
  desk: {title: Desk, image: base, cpu: 1, memory: 1Gi, who: [assistant, instructor]}
"""

SMALL = """\
course: py-100
title: Python
instructors: [wang]
students: [alice]
profiles:
  notebook: {title: Notebook, image: base, cpu: 0.5, memory: 512Mi}
"""

IN_TERM = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def campus_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("campus")
    for name, text in (("campus", CAMPUS), ("ml-101", COURSE), ("py-100", SMALL)):
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="session")
def catalog(campus_folder):
    loaded = load(campus_folder)
    assert not loaded.diagnostics
    return loaded.require()


@pytest.fixture
def alice() -> Person:
    return Person(name="alice")
