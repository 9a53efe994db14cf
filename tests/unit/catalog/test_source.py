"""Every span of a YAML file covers exactly the text that it claims to cover."""

from __future__ import annotations

import random
from datetime import date

import pytest
from ruamel.yaml import YAML

from lectern_spawner.catalog import nodes, scalars
from lectern_spawner.catalog.source import Source

WORDS = [
    "a",
    "kurs",
    "标题",
    "🙂 x",
    "naïve",
    "1",
    "2.5",
    "2026-09-07",
    "true",
    "'q # q'",
    '"z\\n"',
]


def parse(text: str) -> Source:
    source, found = nodes.parse(text, "x.yaml")
    assert found == []
    return source


def codes(text: str) -> list[str]:
    return [item.code for item in nodes.parse(text, "x.yaml")[1]]


def reread(text: str) -> object:
    """Read one token as YAML does, independently of the walk."""
    node = YAML(typ="rt").compose(text)
    if node is None:
        return None
    return scalars.plain(str(node.tag).rpartition(":")[2], node.value)


def random_value(rng: random.Random, depth: int, indent: str, end: str) -> str:
    kind = rng.choice(["scalar", "scalar", "flow", "list", "map"]) if depth else "scalar"
    if kind == "scalar":
        return " " + rng.choice(WORDS)
    if kind == "flow":
        return " [" + ", ".join(rng.choice(WORDS) for _ in range(3)) + "]"
    inner = indent + "  "
    if kind == "list":
        items = [f"{inner}-{random_value(rng, 0, inner, end)}" for _ in range(3)]
        return end + end.join(items)
    pairs = [f"{inner}k{i}嗯:{random_value(rng, depth - 1, inner, end)}" for i in range(3)]
    return end + (end + end).join(pairs) + rng.choice(["", "  # 注释"])


@pytest.mark.parametrize("seed", range(60))
def test_every_scalar_span_cuts_out_its_own_token(seed: int) -> None:
    rng = random.Random(seed)
    end = rng.choice(["\n", "\r\n"])
    lines = [f"key{i}:{random_value(rng, 3, '', end)}{end}" for i in range(6)]
    source = parse("# 注释 🙂" + end + "".join(lines))
    for where, span in source.values.items():
        value = source.data
        for part in where:
            value = value[part]  # type: ignore[index]
        if not isinstance(value, dict | list):
            assert reread(source.cut(span)) == value
    for where, span in source.keys.items():
        assert source.cut(span) == where[-1]


def test_an_alias_points_to_its_definition_and_remembers_its_use() -> None:
    source = parse("x-a: &a {b: 1, 嗯: [1, 2]}\r\nc: *a\nd: [0, *a]\n")
    assert source.data == {
        "x-a": {"b": 1, "嗯": [1, 2]},
        "c": {"b": 1, "嗯": [1, 2]},
        "d": [0, {"b": 1, "嗯": [1, 2]}],
    }
    assert source.cut(source.values[("c",)]) == "{b: 1, 嗯: [1, 2]}"
    for where, column in ((("c", "嗯", 1), 4), (("d", 1, "b"), 8)):
        use = source.use(where)
        assert use is not None
        assert use.span.column == column
        assert source.cut(use.span) == "*a"
    assert source.use(("x-a", "b")) is None


def test_a_merge_fills_only_what_is_missing_and_points_to_the_definition() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {<<: *x, b: 2, c: 2}\nz:\n  <<: [*y, *x]\n  c: 3\n"
    source = parse(text)
    assert isinstance(source.data, dict)
    assert source.data["z"] == {"c": 3, "b": 2, "a": 1}
    assert source.values["z", "a"].line == 1
    use = source.use(("z", "a"))
    assert use is not None
    assert source.cut(use.span) == "<<"
    assert use.span.line == 4


def test_blocks_end_at_their_last_word() -> None:
    source = parse("a:\n  b: |\n    one\n    two\n\n\n# comment\nc:\n- 1\n\nd:\n")
    assert source.cut(source.values["a", "b"]) == "|\n    one\n    two"
    assert source.cut(source.values[("a",)]) == "b: |\n    one\n    two"
    assert source.cut(source.values[("c",)]) == "- 1"
    assert source.cut(source.values[("d",)]) == ""
    place = source.value(("d",))
    assert place is not None
    assert source.cut(place.span) == "d"


def test_scalars_follow_yaml_1_2() -> None:
    source = parse(
        "a: yes\nb: 010\nc: 0o17\nd: 12:30\ne: 2026-11-21\nf: ~\ng: 1_0\nh: 1e2\ni: .5\n"
    )
    assert source.data == {
        "a": "yes",
        "b": 10,
        "c": 15,
        "d": "12:30",
        "e": date(2026, 11, 21),
        "f": None,
        "g": 10,
        "h": 100.0,
        "i": 0.5,
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: b: c", "LEC001"),
        ("a: [1", "LEC001"),
        ("a: 'x", "LEC001"),
        ("a: @x", "LEC001"),
        ('a: "\\q"', "LEC001"),
        ("a:\n  b: 1\n c: 2", "LEC001"),
        ("a: " + "9" * 5000, "LEC001"),
        ("a: 1\na: 2", "LEC002"),
        ("a:\n\tb: 1", "LEC003"),
        ("a: \x07", "LEC004"),
        ("[" * 50_000, "LEC005"),
        ("a: !x 1", "LEC007"),
        ("a: !!python/object:os.system 1", "LEC007"),
        ("a: !!set {b}", "LEC007"),
        ("%TAG ! x\n---\na: 1", "LEC008"),
        ("a: 1\n---\nb: 1", "LEC009"),
        ("", "LEC010"),
        ("# only\n", "LEC010"),
        ("a: *b", "LEC011"),
        ("&a [*a]", "LEC011"),
        ("a: &a {<<: *a}", "LEC011"),
        ("<<: 1", "LEC011"),
        ("1: a", "LEC012"),
        ("? [a]\n: b", "LEC012"),
        ("null: a", "LEC012"),
        ("a: 2026-13-01", "LEC209"),
    ],
)
def test_a_broken_file_is_one_diagnostic_and_never_a_traceback(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_anchors_cannot_make_a_file_explode() -> None:
    lines = ["x0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert codes("\n".join(lines)) == ["LEC011"]


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_never_raises(seed: int) -> None:
    rng = random.Random(seed)
    text = list("course: x\ntitle: {en: a, zh: 标题}\nprofiles:\n  - &a [1, *a]\n  <<: {a: b}\n")
    for _ in range(rng.randint(1, 8)):
        text[rng.randrange(len(text))] = rng.choice("\t:[]{}&*!|>'\"%@`#,?-\r\n\0\ufeff 1a嗯")
    nodes.parse("".join(text), "x.yaml")
