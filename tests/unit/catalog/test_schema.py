"""The schema for editors: what it accepts, and that the checked-in one is the program's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from lectern_spawner import schema
from lectern_spawner.catalog.reading import read_source

ROOT = Path(__file__).parents[3]
BAD = ROOT / "tests" / "data" / "profiles" / "bad"
GOOD = [ROOT / "profiles", ROOT / "tests" / "data" / "profiles" / "good" / "everything"]
FILES = [file for folder in GOOD for file in sorted(folder.glob("*.yaml"))]
# Mistakes that a schema can know; references, sizes and dates of a term are beyond it.
KNOWN_TO_EDITORS = ("LEC101", "LEC102", "LEC103", "LEC104", "LEC106", "LEC201", "LEC202", "LEC203")


def kind(file: Path) -> str:
    return "campus" if file.name == "campus.yaml" else "course"


def problems(file: Path) -> list[str]:
    data = in_json(read_source(file)[0].data)
    found = Draft202012Validator(schema.schema(kind(file))).iter_errors(data)
    return [error.message for error in found]


def in_json(value):
    if isinstance(value, dict):
        return {key: in_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [in_json(item) for item in value]
    return str(value) if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("name", sorted(schema.FILES))
def test_the_checked_in_schema_is_what_the_program_makes(name):
    there = (ROOT / "profiles" / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert there == schema.text(name), "run `lectern schema --out profiles/schema`"
    Draft202012Validator.check_schema(schema.schema(name))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_good_files_fit_the_schema_and_name_it(file):
    assert problems(file) == []
    if file.parent == ROOT / "profiles":
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema=schema/{kind(file)}.schema.json"


@pytest.mark.parametrize(
    "case",
    [case for case in sorted(BAD.iterdir()) if case.name.startswith(KNOWN_TO_EDITORS)],
    ids=lambda case: case.name,
)
def test_an_editor_shows_mistakes_of_shape(case):
    assert any(problems(file) for file in case.glob("*.yaml"))


@pytest.mark.parametrize("name", sorted(schema.FILES))
def test_every_example_of_a_key_fits_its_own_schema(name):
    whole = schema.schema(name)
    sections = [whole, *whole["$defs"].values()]
    for section in sections:
        for key, shape in section.get("properties", {}).items():
            for example in shape.get("examples", []):
                checked = {"$defs": whole["$defs"], **shape}
                found = [e.message for e in Draft202012Validator(checked).iter_errors(example)]
                assert found == [], f"{key}: {yaml.safe_dump(example)}"
