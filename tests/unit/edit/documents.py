"""Random YAML documents in the styles that people write, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

KEYS = ("title", "profiles", "cpu", "memory", "env", "标题", "a.b", "x-y", "A B", "😀")
PLAIN = (
    "1",
    "0.5",
    "4Gi",
    "teaching:/iris",
    "true",
    "null",
    "~",
    "2026-09-07",
    "12:30",
    "机器学习",
)
QUOTED = ('"a: b"', "'it''s'", '"010"', "'# no'", '"😀 \\u00e9"', '""')
BLOCKS = ("|\n{0}one\n\n{0}two", ">-\n{0}folded\n{0}lines", "|-\n{0}# text, not a comment")
COMMENTS = ("", "", "", "  # why", "   # 注释 😀", " # a: [b")
BREAKS = ("\n", "\r\n")


class _Draw:
    """Draws, and remembers the anchors so far; text is made in the order of the file."""

    def __init__(self, draw: st.DrawFn, *, anchors: bool) -> None:
        self.draw = draw
        self.anchors = anchors
        self.names: list[str] = []
        self.sections: list[str] = []

    def __call__(self, strategy: st.SearchStrategy) -> object:
        return self.draw(strategy)

    def anchor(self) -> str:
        """Return a new anchor now and then, with a space before it."""
        if not self.anchors or self.draw(st.integers(0, 3)):
            return ""
        return f" &a{self.draw(st.integers(0, 10**6))}"


@st.composite
def documents(draw: st.DrawFn, *, anchors: bool = False) -> str:
    """Return a document whose top is a section."""
    draw = _Draw(draw, anchors=anchors)
    text = "# first line\n" * draw(st.integers(0, 1)) + _section(draw, "", 0).lstrip("\n")
    if draw(st.booleans()):
        text += "\n" + draw(st.sampled_from(("", "# end\n", "\n")))
    return text.replace("\n", draw(st.sampled_from(BREAKS)))


def _section(draw: _Draw, indent: str, depth: int) -> str:
    """Return a block mapping, each line after a line break."""
    text = ""
    if draw.sections and draw(st.booleans()):
        text += f"\n{indent}<<: *{draw(st.sampled_from(draw.sections))}"
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)):
        text += _between(draw, indent)
        text += f"\n{indent}{_key(draw, key)}:{_value(draw, indent, depth + 1)}"
    return text


def _items(draw: _Draw, indent: str, depth: int) -> str:
    text = ""
    for _ in range(draw(st.integers(1, 3))):
        text += _between(draw, indent)
        if depth < 3 and draw(st.booleans()):
            inner = _section(draw, indent + "  ", depth).lstrip("\n")
            # The first key stands beside the dash.
            text += f"\n{indent}- " + inner[len(indent) + 2 :] if inner[0] == " " else ""
        else:
            text += f"\n{indent}-{_value(draw, indent + '  ', depth + 1)}"
    return text or f"\n{indent}- 1"


def _between(draw: _Draw, indent: str) -> str:
    return draw(st.sampled_from(("", "", "", "\n", f"\n{indent}# comment")))


def _key(draw: _Draw, key: str) -> str:
    return draw(st.sampled_from((key, key, f'"{key}"', f"'{key}'")))


def _value(draw: _Draw, indent: str, depth: int) -> str:
    kinds = ["plain", "plain", "quoted", "empty", "flow", "block"]
    kinds += ["section", "section", "list"] if depth < 4 else []
    kind = draw(st.sampled_from(kinds))
    comment = draw(st.sampled_from(COMMENTS))
    if draw.names and draw(st.integers(0, 3)) == 0:
        return f" *{draw(st.sampled_from(draw.names))}{comment}"
    anchor = draw.anchor()
    text = anchor + _content(draw, kind, comment, indent, depth)
    if anchor:
        # An anchor names a value only behind it, so that nothing holds itself.
        draw.names.append(anchor[2:])
        if kind == "section":
            draw.sections.append(anchor[2:])
    return text


def _content(draw: _Draw, kind: str, comment: str, indent: str, depth: int) -> str:
    step = draw(st.sampled_from(("  ", "    ")))
    if kind == "section":
        return comment + _section(draw, indent + step, depth)
    if kind == "list":
        return comment + _items(draw, indent + step, depth)
    if kind == "block":
        return " " + draw(st.sampled_from(BLOCKS)).format(indent + step)
    if kind == "empty":
        return comment
    gap = draw(st.sampled_from((" ", " ", "   ")))
    return gap + {"flow": _flow, "plain": _scalar, "quoted": _scalar}[kind](draw) + comment


def _scalar(draw: _Draw) -> str:
    return draw(st.sampled_from(PLAIN + QUOTED))


def _flow(draw: _Draw, depth: int = 0) -> str:
    gap = draw(st.sampled_from(("", " ")))
    comma = draw(st.sampled_from(("", "", ",")))
    inner = _scalar if depth > 1 else lambda draw: draw(st.sampled_from((_scalar, _flow1)))(draw)
    if draw(st.booleans()):
        items = [inner(draw) for _ in range(draw(st.integers(0, 3)))]
        return f"[{gap}{', '.join(items)}{comma if items else ''}{gap}]"
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=3, unique=True))
    pairs = [f"{_key(draw, key)}: {inner(draw)}" for key in keys]
    return f"{{{gap}{', '.join(pairs)}{comma if pairs else ''}{gap}}}"


def _flow1(draw: _Draw) -> str:
    return _flow(draw, 2)
