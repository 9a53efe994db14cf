"""Put a snippet of a page, or of a test, into a small campus folder that is right otherwise."""

from __future__ import annotations

import re
from pathlib import Path

from lectern_spawner.catalog.sections.course import CourseFile

CAMPUS = {
    "languages": "languages: [en, zh]",
    "images": "images:\n  datascience: {title: Data science, ref: lectern/datascience:1}",
    "storage": "storage:\n  teaching: {path: data}",
    "groups": "groups:\n  staff/art-1: [zhao]",
    "limits": "limits:\n  largest: {cpu: 4, memory: 8Gi}",
}
PROFILE = {
    "title": "    title: Notebook",
    "image": "    image: datascience",
    "cpu": "    cpu: 1",
    "memory": "    memory: 1Gi",
}
COURSE = {
    "course": "course: art-1",
    "title": "title: {en: Drawing, zh: 素描}",
    "instructors": "instructors: [chen]",
    "profiles": "profiles:\n  notebook:\n" + "\n".join(PROFILE.values()),
}
ROSTER = "rosters/art-1.csv"
_FILE = re.compile(r"^# ([a-z0-9-]+\.ya?ml)\n", re.MULTILINE)
_KEY = re.compile(r"^([A-Za-z_-]+):", re.MULTILINE)


def write(folder: Path, snippet: str, *, is_roster: bool = False) -> None:
    """Write a campus folder that holds a snippet.

    Args:
        folder: where to write.
        snippet: a part of a course file or of a profile. A line such as
            ``# campus.yaml`` names the file for the lines below it.
        is_roster: whether the snippet is the roster of the course's students.
    """
    pieces = {"campus.yaml": "", "art-1.yaml": "", ROSTER: "name\nalice\n"}
    if is_roster:
        pieces |= {"art-1.yaml": f"students: {{csv: {ROSTER}}}\n", ROSTER: snippet}
    else:
        first, *named = _FILE.split(snippet)
        pieces |= {"art-1.yaml": first} if first.strip() else {}
        pieces |= dict(zip(named[::2], named[1::2], strict=True))
    (folder / "rosters").mkdir()
    for name, piece in pieces.items():
        (folder / name).write_text(_completed(name, piece), encoding="utf-8")


def _completed(name: str, piece: str) -> str:
    keys = _KEY.findall(piece)
    if name.endswith(".csv") or (piece and not keys):
        return piece
    if name == "campus.yaml":
        return _with_the_rest(piece, keys, CAMPUS)
    if keys and not _belongs_to_a_course(keys[0]):
        lines = [text for key, text in PROFILE.items() if key not in keys]
        lines += [f"    {line}" for line in piece.splitlines()]
        piece = "profiles:\n  notebook:\n" + "\n".join(lines) + "\n"
        keys = ["profiles"]
    return _with_the_rest(piece, keys, COURSE)


def _belongs_to_a_course(key: str) -> bool:
    names = {field.alias or name for name, field in CourseFile.model_fields.items()}
    return key in names or key.startswith("x-")


def _with_the_rest(piece: str, keys: list[str], whole: dict[str, str]) -> str:
    rest = [text + "\n" for key, text in whole.items() if key not in keys]
    return piece + "".join(rest)
