"""Keep functions and files short enough to be read in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from workshop.places import CHECKOUT
from workshop.say import say

LONGEST_FUNCTION = 60
LONGEST_FILE = 400


def check(folders: list[str]) -> bool:
    """Print what is too long below some folders of the checkout; True when nothing is."""
    problems = [
        problem
        for folder in folders
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
        for problem in problems_of(path)
    ]
    for problem in problems:
        say(problem)
    return not problems


def problems_of(path: Path) -> Iterator[str]:
    """Yield a line for the file and for each of its functions that is too long."""
    text = path.read_text(encoding="utf-8")
    shown = path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path
    lines = len(text.splitlines())
    if lines > LONGEST_FILE:
        yield f"{shown}: {lines} lines, at most {LONGEST_FILE}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                place = f"{shown}:{node.lineno}"
                yield f"{place}: `{node.name}` has {length} lines, at most {LONGEST_FUNCTION}"
