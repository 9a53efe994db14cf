"""Texts for whoever reads YAML: made up from its parts, and real files with damage."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lectern_spawner.catalog import scalars
from lectern_spawner.catalog.source import Source

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("profiles", "tests/data")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".yaml", ".yml", ".csv") and path.is_file()
)

# What YAML gives a meaning to, and what people write.
PIECES = """
a: 1|b:|  c: d|  - x|- y|    - z|key: [1, 2]|k: {a: b}|t: \\||t: >|t: \\|-|t: >+|t: \\|2|# c|   # d
&a |*a|<<: *a|x: &x {p: 1}|? q|: r|'q'|"d\\n"|!!str |!x |- |  |嗯: 好|🙂|---|...|%YAML 1.1|a:b|{a:1}
[a:b, c]|{"a":1}|{a: , b}|[,]|http://x#y| #z|yes|010|0o17|12:30|2026-09-07|~|null|=|<<|.5|1e3|-|?|:
>|@|`|%|!|&|*|'|"|{|}|[|]|,|a: b: c|- - - 1|a: - b|1_000|it''s|k: 'a|$|\\|course: art-1|image: ds
""".replace("\\|", "\0").split("|")
PIECES = [piece.strip("\n").replace("\0", "|") for piece in PIECES]
ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n  ", "\n    "]
ODD = ["\t", "\ufeff", "\x85", "\u2028", "\x07", "\0", "\xa0", "\u3000", "a" * 1100, "[" * 50]

tokens = st.sampled_from([*PIECES, *ENDS, *ENDS, *ODD])
soups = st.lists(tokens, max_size=12).map("".join)

_words = st.sampled_from(
    ["a", "kurs", "标题", "🙂 x", "naïve", "1", "2.5", "010", "0o17", "12:30", "2026-09-07", "true"]
    + ["yes", "~", "null", "it's", "a#b", "http://x", "1Gi", "nas:/data", "R&D", "Why?", "Go!"]
)
_quoted = st.sampled_from(["'q # q'", '"z\\n: "', "'标''题'", '"\\u263a"', "''", '"*a"'])
_flow = st.recursive(
    _words | _quoted,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(inner, max_size=3).map(
            lambda items: (
                "{" + ", ".join(f"k{number}: {item}" for number, item in enumerate(items)) + "}"
            )
        ),
    ),
    max_leaves=5,
)


def _indented(text: str, by: str = "  ") -> str:
    return "".join(f"\n{by}{line}" if line else "\n" for line in text.split("\n"))


def _entries(items: list[tuple[str, str, str]]) -> str:
    lines = []
    for number, (value, comment, kind) in enumerate(items):
        head = "-" if items[0][2] == "list" else f"k{number}嗯{'x' * (number % 3)}:"
        lines.append(f"{head}{'' if value.startswith(chr(10)) else ' '}{value}{comment}")
        lines += ["", "# between"] if kind == "gap" else []
    return "\n".join(lines)


_leaves = st.one_of(
    _flow,
    _flow,
    st.just(""),
    st.sampled_from(["|", "|-", ">", ">+"]).map(
        lambda sign: f"{sign}\n  one\n   two\n\n  标 three"
    ),
    _words.map(lambda word: f"{word}\n  more words"),
    st.sampled_from(["&a 1", "&b [x, y]", "&c {p: 1}", "&d\n  p: 1", "*a", "*b", "*c"]),
)
_comments = st.sampled_from(["", "", "", "  # 注释 🙂", " # a: b"])
_blocks = st.recursive(
    _leaves,
    lambda inner: st.lists(
        st.tuples(inner, st.just(""), st.sampled_from(["map", "list", "map", "gap"])),
        min_size=1,
        max_size=4,
    ).map(lambda items: _indented(_entries(items))),
    max_leaves=12,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw a text that is mostly good YAML: blocks, flow, anchors, comments, all line ends."""
    count = draw(st.integers(1, 4))
    lines = [
        f"top{number}: {draw(_blocks)}{draw(_comments)}".replace(": \n", ":\n")
        for number in range(count)
    ]
    anchors = draw(st.sampled_from(["", "x-a: &a 7\nx-b: &b [1]\nx-c: &c {q: 2, r: 3}\n"]))
    merge = (
        draw(st.sampled_from(["", "<<: *c\n", "m:\n  <<: [*c, *c]\n  q: 1\n"])) if anchors else ""
    )
    text = anchors + "\n".join(lines) + "\n" + merge
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])))


@st.composite
def damaged(draw: st.DrawFn, suffixes: tuple[str, ...] = (".yaml",)) -> bytes:
    """Draw a real file in which a few places were changed."""
    path = draw(st.sampled_from([path for path in FILES if path.suffix in suffixes]))
    content = path.read_bytes()
    pieces = tokens.map(str.encode) | st.binary(max_size=4)
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.integers(0, 8))
        content = content[:start] + draw(pieces) + content[end:]
    return content


texts = st.one_of(
    documents(), soups, damaged().map(lambda content: content.decode(errors="replace"))
)


def assert_places(source: Source) -> None:
    """Assert that the text cut out for each key and value on one line is that key or value."""
    for where, span in source.keys.items():
        if span.line == span.end_line:
            assert reread(source.cut(span)) in (where[-1], NOTHING)
    for where, span in source.values.items():
        value = source.data
        for part in where:
            value = value[part]  # type: ignore[index]
        whole = span.line == span.end_line and where not in source.broken
        if whole and not isinstance(value, dict | list):
            assert repr(reread(source.cut(span))) in (repr(value), repr(NOTHING))


NOTHING = object()
"""What stands for a text that means something only where it stands."""


def reread(text: str) -> object:
    """Read one token with ruamel.yaml alone."""
    if text.startswith(("|", ">")):
        # A block that holds nothing but blanks ends with its first line.
        return NOTHING
    try:
        node = YAML(typ="rt").compose(f"k: {text}")
        value = node.value[0][1]
        kind = str(value.tag).rpartition(":")[2]
        if not isinstance(value.value, str) or value.value and not text:
            return NOTHING
        return scalars.plain("str" if kind == "merge" else kind, value.value)
    except (YAMLError, ValueError, IndexError, AttributeError, TypeError):
        return NOTHING
