"""The formats of `lectern check`: each says the same about every example, in its own way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from tests.unit.catalog.test_bad_profiles import CASES, cut, found_in

from lectern_spawner.catalog import Diagnostic, render
from lectern_spawner.catalog.diagnostics import CODES, Note, Place, Span

# What the standard asks of the parts that are used, written down again from its text.
TEXT = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string"}},
}
NUMBER = {"type": "integer", "minimum": 1}
REGION = {
    "type": "object",
    "required": ["startLine"],
    "additionalProperties": False,
    "properties": dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), NUMBER),
}
PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation"],
    "additionalProperties": False,
    "properties": {
        "artifactLocation": {
            "type": "object",
            "required": ["uri"],
            "additionalProperties": False,
            "properties": {"uri": {"type": "string", "pattern": r"^[!-~]+$"}},
        },
        "region": REGION,
    },
}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "minimum": 0},
        "message": TEXT,
        "physicalLocation": PHYSICAL,
        "logicalLocations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"fullyQualifiedName": {"type": "string", "minLength": 1}},
            },
        },
    },
}
RESULT = {
    "type": "object",
    "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
    "additionalProperties": False,
    "properties": {
        "message": TEXT,
        "ruleId": {"enum": list(CODES)},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["error", "warning"]},
        "locations": {"type": "array", "minItems": 1, "items": LOCATION},
        "relatedLocations": {"type": "array", "items": LOCATION, "uniqueItems": True},
    },
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "help"],
    "additionalProperties": False,
    "properties": {"id": {"enum": list(CODES)}, "shortDescription": TEXT, "help": TEXT},
}
RUN = {
    "type": "object",
    "required": ["tool", "columnKind", "results"],
    "additionalProperties": False,
    "properties": {
        "tool": {
            "type": "object",
            "required": ["driver"],
            "additionalProperties": False,
            "properties": {
                "driver": {
                    "type": "object",
                    "required": ["name", "rules"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string"},
                        "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                    },
                }
            },
        },
        "columnKind": {"const": "unicodeCodePoints"},
        "results": {"type": "array", "items": RESULT},
    },
}
LOG = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "maxItems": 1, "items": RUN},
    },
}
VALID = jsonschema.Draft202012Validator(LOG)


def sarif(found: tuple[Diagnostic, ...] | list[Diagnostic]) -> dict[str, Any]:
    """Return the only run of a log that has the shape of the standard."""
    log = json.loads(render.FORMATS["sarif"](found))
    VALID.validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def sarif_facts(physical: dict[str, Any]) -> tuple[str, str]:
    """Return the file of a location and the text of its region, as a reader of SARIF finds it."""
    file = unquote(physical["artifactLocation"]["uri"])
    if "region" not in physical:
        return file, ""
    region = physical["region"]
    span = Span(*(region[k] for k in ("startLine", "startColumn", "endLine", "endColumn")))
    return file, cut(Place(file, span, ""))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sarif_leads_to_the_marked_text(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_in(case, monkeypatch)
    run = sarif(found)
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(found)
    for item, result in zip(found, run["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == item.code
        assert result["level"] == item.severity
        assert result["message"]["text"].startswith(item.message)
        assert (item.help or "") in result["message"]["text"]
        expected = (item.file, cut(item.at) if item.at else "")
        assert sarif_facts(result["locations"][0]["physicalLocation"]) == expected
        related = [sarif_facts(each["physicalLocation"]) for each in result["relatedLocations"]]
        assert related == [(note.at.file, cut(note.at)) for note in item.notes if note.at]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_format_names_the_same_places(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_in(case, monkeypatch)
    places = [(d.code, d.file, d.at.span.line if d.at else None) for d in found]
    assert places_of_full(render.FORMATS["full"](found)) == places
    assert places_of_concise(render.FORMATS["concise"](found)) == places
    assert places_of_github(render.FORMATS["github"](found)) == places
    objects = [json.loads(line) for line in render.FORMATS["json"](found).splitlines()]
    assert [(o["code"], o["file"], (o["span"] or {}).get("line")) for o in objects] == places
    assert all((case.parents[4] / o["url"]).is_file() for o in objects)
    results = sarif(found)["results"]
    assert [places_of_result(result) for result in results] == places
    assert set(render.FORMATS) == {"full", "concise", "json", "github", "sarif"}


def places_of_full(text: str) -> list[tuple[str, str, int | None]]:
    heads = re.findall(
        r"^(?:error|warning)\[(LEC\d+)\]: .*\n *--> (.*?)(?::(\d+):\d+)?$", text, re.MULTILINE
    )
    return [(code, file, int(line) if line else None) for code, file, line in heads]


def places_of_concise(text: str) -> list[tuple[str, str, int | None]]:
    heads = re.findall(r"^(.*?)(?::(\d+):\d+)?: (?:error|warning)\[(LEC\d+)\] ", text, re.MULTILINE)
    return [(code, file, int(line) if line else None) for file, line, code in heads]


def places_of_github(text: str) -> list[tuple[str, str, int | None]]:
    heads = re.findall(
        r"^::(?:error|warning) file=(.*?)(?:,line=(\d+),.*?)?,title=(LEC\d+)::", text, re.MULTILINE
    )
    return [(code, file, int(line) if line else None) for file, line, code in heads]


def places_of_result(result: dict[str, Any]) -> tuple[str, str, int | None]:
    physical = result["locations"][0]["physicalLocation"]
    line = physical.get("region", {}).get("startLine")
    return result["ruleId"], unquote(physical["artifactLocation"]["uri"]), line


def test_a_rule_of_sarif_says_what_is_wrong_and_where_its_page_is() -> None:
    item = Diagnostic(code="LEC301", message="unknown image `x`", file="a.yaml")
    (rule,) = sarif([item, item])["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "unknown image"
    assert "docs/diagnostics/LEC301.md" in rule["help"]["text"]
    assert "(docs/diagnostics/LEC301.md)" in rule["help"]["markdown"]


def test_files_of_sarif_are_addresses() -> None:
    names = ["a b/标题#1.yaml", "a:b.yaml", "/srv/a b.yaml", "not-\udce9-utf-8.yaml"]
    found = [Diagnostic(code="LEC010", message="the file is empty", file=name) for name in names]
    results = sarif(found)["results"]
    assert [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results] == [
        "a%20b/%E6%A0%87%E9%A2%98%231.yaml",
        "a%3Ab.yaml",
        "file:///srv/a%20b.yaml",
        "not-%E9-utf-8.yaml",
    ]


def test_sarif_shows_nobody_a_link_or_a_turned_text_from_a_key() -> None:
    message = "unknown key `[x](y)\u202e`"
    notes = (Note("[see](there)"),)
    item = Diagnostic(code="LEC101", message=message, file="a.yaml", notes=notes)
    text = sarif([item])["results"][0]["message"]["text"]
    assert "](" not in text
    assert "\u202e" not in text


def test_a_clean_campus_is_a_log_without_results() -> None:
    run = sarif([])
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []
