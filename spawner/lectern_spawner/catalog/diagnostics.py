"""What a problem in a campus's files is: code, place, words.

Every stage of reading makes these; `render` prints them. The registry below is
the list of codes, each with a page in docs/diagnostics and an example in tests.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

Severity = Literal["error", "warning"]

MOST_PER_FILE = 20
LIKELY = 0.6
MOST_LISTED = 12

# Grouped by hundreds: 0 reading, 1 shape, 2 formats, 3 references, 4 sizes and
# safety, 5 calendar, 9 deprecations. A code is never used again for something else.
CODES: dict[str, str] = {
    "LEC001": "the file is not valid YAML",
    "LEC002": "a key is set twice",
    "LEC003": "a tab indents YAML",
    "LEC004": "the file is not plain UTF-8 text",
    "LEC005": "the file is too large or nested too deeply",
    "LEC006": "a file cannot be read",
    "LEC007": "a YAML tag is used",
    "LEC008": "a YAML directive is used",
    "LEC009": "the file holds more than one document",
    "LEC010": "the file is empty",
    "LEC011": "an anchor or merge cannot be followed",
    "LEC012": "a key is not text",
    "LEC013": "a file is left unread because of its name",
    "LEC101": "unknown key",
    "LEC102": "missing key",
    "LEC103": "wrong kind of value",
    "LEC104": "not one of the possible values",
    "LEC105": "empty where something is needed",
    "LEC106": "number out of range",
    "LEC107": "text too long or with control characters",
    "LEC108": "a course id is used twice",
    "LEC109": "value refused",
    "LEC110": "listed twice",
    "LEC111": "roster without a column `name`",
    "LEC112": "unknown column in a roster",
    "LEC113": "roster line with too many cells",
    "LEC114": "person with two roles in a course",
    "LEC115": "keys that exclude each other",
    "LEC116": "key of another system",
    "LEC117": "key without meaning here",
    "LEC118": "section that is not complete",
    "LEC201": "malformed amount of memory",
    "LEC202": "malformed number of cores",
    "LEC203": "malformed id",
    "LEC204": "malformed image reference",
    "LEC205": "name of a person refused",
    "LEC206": "malformed place of data",
    "LEC207": "malformed environment variable",
    "LEC208": "malformed group name",
    "LEC209": "malformed date",
    "LEC210": "malformed length of time",
    "LEC211": "malformed time of day",
    "LEC212": "malformed date with a time",
    "LEC213": "malformed numbers of weeks or periods",
    "LEC214": "malformed part of a card",
    "LEC215": "malformed percentage",
    "LEC216": "malformed MIG profile",
    "LEC217": "malformed NFS export",
    "LEC218": "malformed option of a mount",
    "LEC219": "malformed address of a license server",
    "LEC220": "malformed web address",
    "LEC221": "malformed Kubernetes name or label",
    "LEC222": "malformed feature of a license",
    "LEC301": "unknown image",
    "LEC302": "unknown storage",
    "LEC303": "unknown group",
    "LEC304": "unknown language",
    "LEC305": "roster file not found",
    "LEC306": "unknown time zone",
    "LEC307": "unknown GPU pool",
    "LEC308": "unknown calendar, or none where one is needed",
    "LEC309": "unknown license",
    "LEC310": "unknown profile",
    "LEC311": "unknown course",
    "LEC312": "person who is not in the course",
    "LEC313": "unknown period",
    "LEC314": "MIG profile that the pool does not offer",
    "LEC315": "unknown model of card",
    "LEC401": "profile larger than the campus allows",
    "LEC402": "too little memory for a server",
    "LEC403": "guarantee above limit",
    "LEC404": "environment variable that the platform sets",
    "LEC405": "path leaves its folder",
    "LEC406": "formula in a roster",
    "LEC407": "key that would break isolation",
    "LEC408": "more GPU memory than a card has",
    "LEC409": "share that the pool cannot give",
    "LEC410": "isolation that the pool does not keep",
    "LEC411": "share too small for the pool",
    "LEC412": "part of several cards",
    "LEC413": "more cards than a node has",
    "LEC414": "image or pool that the editors may not use",
    "LEC415": "profile larger than the editors may make it",
    "LEC416": "course that the editor may not edit",
    "LEC417": "profiles that lead to each other in a circle",
    "LEC418": "profile to go to instead, for other people",
    "LEC419": "more licenses kept than there are",
    "LEC420": "more licenses held than there are",
    "LEC421": "quota that nobody enforces",
    "LEC422": "nothing left of a card",
    "LEC423": "image that cannot do what is needed",
    "LEC424": "backend for other cards",
    "LEC425": "MIG profiles that do not fit a card",
    "LEC426": "storage of the system's own files",
    "LEC427": "path of the machine",
    "LEC428": "campus that would break courses",
    "LEC501": "ends before it starts",
    "LEC502": "outside the term",
    "LEC503": "two lessons at the same time",
    "LEC504": "two exams at the same time",
    "LEC505": "time that does not exist",
    "LEC506": "time that comes twice",
    "LEC507": "weeks without a first day of the term",
    "LEC508": "closes before it is due",
    "LEC509": "steps of lateness in the wrong order",
    "LEC510": "lesson that is never held",
    "LEC511": "holidays with a day in common",
    "LEC512": "cancelled day without a lesson",
    "LEC513": "idle times in the wrong order",
    "LEC514": "periods in the wrong order",
    "LEC901": "deprecated image",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file; lines and columns count from 1, the end column is just behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Place:
    """A span with the text of its first line, so that it can be shown without the file."""

    file: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A second thing worth knowing, with or without a place."""

    message: str
    at: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem, ready to be printed."""

    code: str
    message: str
    """One line, lower-case, no full stop: what is wrong, not what to do."""

    file: str
    at: Place | None = None
    label: str = ""
    """Short words beside the marked text."""

    path: str = ""
    """Where in the data, such as ``profiles.notebook.memory``."""

    severity: Severity = "error"
    notes: tuple[Note, ...] = ()
    help: str | None = None
    """The one likely repair, as an imperative."""

    hidden: int = 0
    """Problems of the same file that are left out of the report behind this one."""

    @property
    def is_error(self) -> bool:
        """Whether this keeps something from being offered."""
        return self.severity == "error"


class More(TypedDict, total=False):
    """The optional parts of a diagnostic, for functions that pass them on."""

    label: str
    severity: Severity
    notes: tuple[Note, ...]
    help: str | None


class CatalogError(Exception):
    """A catalog was needed and there is none; the diagnostics say why."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep the diagnostics for whoever prints them."""
        self.diagnostics = tuple(diagnostics)
        errors = sum(d.is_error for d in self.diagnostics)
        super().__init__(f"the catalog has {errors} error{'s' if errors != 1 else ''}")


def suggest(wrong: str, known: Iterable[str]) -> str | None:
    """Return a help line: the likely meant word, else the known ones, else None."""
    words = sorted(known)
    likely = closest(wrong, words)
    if likely is not None:
        return f"did you mean `{likely}`?"
    if not words:
        return None
    return f"known here: {listed(words)}"


def closest(wrong: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant."""
    # The comparison takes quadratic time; a longer word is no misspelling anyway.
    close = difflib.get_close_matches(wrong[:100], sorted(known), n=1, cutoff=LIKELY)
    return close[0] if close else None


def listed(words: Iterable[str], between: str = ", ") -> str:
    """Return words in backticks, at most twelve of them."""
    every = list(words)
    more = f" and {len(every) - MOST_LISTED} more" if len(every) > MOST_LISTED else ""
    return between.join(f"`{word}`" for word in every[:MOST_LISTED]) + more


def shorten(value: object, longest: int = 60) -> str:
    """Return text for an echo of somebody's value, one line of limited length."""
    text = " ".join(str(value).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def tidy(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sort by position, drop repeats of one code at one span, cap each file's number.

    The same fault behind an anchor is found once per use; the notes of the
    repeats are kept on the first.
    """
    first: dict[tuple[object, ...], Diagnostic] = {}
    for item in sorted(diagnostics, key=_position):
        key = (item.file, item.code, item.at.span if item.at else item.message)
        known = first.get(key)
        first[key] = item if known is None else _with_notes(known, item.notes)
    kept: list[Diagnostic] = []
    per_file: dict[str, int] = {}
    for item in first.values():
        per_file[item.file] = per_file.get(item.file, 0) + 1
        if per_file[item.file] <= MOST_PER_FILE:
            kept.append(item)
    return [_counting_the_rest(item, kept, per_file) for item in kept]


def _position(item: Diagnostic) -> tuple[str, int, int, str]:
    if item.at is None:
        return (item.file, 0, 0, item.code)
    return (item.file, item.at.span.line, item.at.span.column, item.code)


def _with_notes(item: Diagnostic, notes: tuple[Note, ...]) -> Diagnostic:
    new = tuple(note for note in notes if note not in item.notes)
    return replace(item, notes=item.notes + new) if new else item


def _counting_the_rest(
    item: Diagnostic, kept: list[Diagnostic], per_file: dict[str, int]
) -> Diagnostic:
    rest = per_file[item.file] - MOST_PER_FILE
    if rest <= 0 or item is not [k for k in kept if k.file == item.file][-1]:
        return item
    return replace(item, notes=(*item.notes, Note(f"and {rest} more in this file")), hidden=rest)
