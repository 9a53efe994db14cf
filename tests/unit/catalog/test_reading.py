"""The engine: a file into a model, errors in our words, for any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from lectern_spawner.catalog.reading import Many, Parsed, Section, read_model, read_text


class Proxy(Section):
    """A section inside a file."""

    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    kind: Literal["python", "node"] = "python"


class Settings(Section):
    """A small settings file."""

    name: str
    proxy: Proxy = Proxy()
    admins: Many[str] = ()
    ratio: float = 1.0
    more: dict[str, Proxy] = Field(default_factory=dict)
    listed: Many[Proxy] = ()


def read(text: str) -> Parsed[Settings]:
    return read_text(text, Settings, "lectern.yaml")


def only(text: str) -> tuple[str, str, str | None]:
    (item,) = read(text).diagnostics
    assert item.at is not None or item.code == "LEC102"
    return item.code, item.message, item.help


def test_a_good_file_becomes_a_model() -> None:
    parsed = read("name: x\nproxy: {port: 9000}\nadmins: [a, b]\nx-notes: anything\n")
    assert parsed.diagnostics == []
    assert parsed.model is not None
    assert parsed.model.proxy.port == 9000
    assert parsed.model.admins == ("a", "b")
    assert parsed.source.values["proxy", "port"].line == 2


@pytest.mark.parametrize(
    ("text", "code", "words", "help_"),
    [
        ("nam: x", "LEC101", "unknown key `nam`", "did you mean `name`?"),
        ("proxy: {}", "LEC102", "missing key `name`", None),
        ("name: x\nproxy: {prt: 1}", "LEC101", "in `proxy`", "did you mean `port`?"),
        ("name: x\nmore: {a: {prt: 1}}", "LEC101", "in `more.a`", "did you mean `port`?"),
        ("name: x\nlisted: [{prt: 1}]", "LEC101", "in `listed[0]`", "did you mean `port`?"),
        ("name: 1", "LEC103", "`name` must be text", None),
        ("name: x\nproxy: 3", "LEC103", "must be a section of keys and values", None),
        ("name: x\nadmins: 3", "LEC103", "must be a list", None),
        ("name: x\nadmins: [1]", "LEC103", "`admins[0]` must be text", None),
        ("name: x\nproxy: {port: '1'}", "LEC103", "must be a whole number", None),
        ("name: x\nproxy: {port: true}", "LEC103", "must be a whole number", None),
        ("name: x\nproxy: {port: 0}", "LEC106", "must be at least 1", None),
        ("name: x\nproxy: {kind: pyton}", "LEC104", "cannot be `pyton`", "did you mean `python`?"),
        ("name: x\nratio: .inf", "LEC103", "must be a finite number", None),
        ("name: !x y", "LEC007", "tag `!x`", None),
        ("- a", "LEC103", "the file must be a section", None),
        ("just text", "LEC103", "the file must be a section", None),
    ],
)
def test_an_error_has_our_code_and_words(
    text: str, code: str, words: str, help_: str | None
) -> None:
    found = only(text)
    assert found[0] == code
    assert words in found[1]
    assert found[2] == help_


def test_a_file_with_errors_gives_no_model() -> None:
    assert read("name: x\nname: y\n").model is None


def test_twenty_errors_are_shown_and_the_rest_counted() -> None:
    parsed = read("name: x\n" + "".join(f"wrong{i}: 1\n" for i in range(50)))
    assert len(parsed.diagnostics) == 20
    assert parsed.diagnostics[-1].notes[-1].message == "and 30 more in this file"


def test_a_file_that_cannot_be_read_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "large.yaml").write_text("a: " + "x" * 200_000)
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    expected = {
        "missing.yaml": "LEC006",
        "folder.yaml": "LEC006",
        "large.yaml": "LEC005",
        "latin.yaml": "LEC004",
        "loop.yaml": "LEC006",
    }
    for name, code in expected.items():
        parsed = read_model(tmp_path / name, Settings)
        assert [item.code for item in parsed.diagnostics] == [code], name
        assert parsed.model is None


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfname: x\r\n")
    parsed = read_model(tmp_path / "a.yaml", Settings)
    assert parsed.model is not None
    assert parsed.source.keys[("name",)].column == 1
