"""Say things to people in their language.

Everything that a student reads comes from here: the spawn page, refusals over
REST and the pages of the hub. English sentences in the code are the message
ids; other languages live in ``locale/<language>/LC_MESSAGES/lectern.po``.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LANGUAGE = "en"
LOCALE = Path(__file__).parent / "locale"

_KI = 1024
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def N_(message: str) -> str:
    """Mark a message for translation and return it unchanged."""
    return message


@cache
def _translations(language: str) -> gettext.NullTranslations:
    """Return the translations of one language; none for the source language."""
    file = LOCALE / language / "LC_MESSAGES" / "lectern.po"
    if language == SOURCE_LANGUAGE or not file.is_file():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with file.open("rb") as text:
        write_mo(compiled, read_po(text, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language."""

    language: str
    """Language tag such as ``en`` or ``zh``."""

    def say(self, message: str, **values: object) -> str:
        """Return a translated message with its values filled in.

        Args:
            message: an English message of this code base, with ``%(name)s`` slots.
            values: what goes into the slots; never searched for slots itself, so
                text that comes from people is safe here.
        """
        text = _translations(self.language).gettext(message)
        return text % values if values else text

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """Return the singular or plural message for a number, slot ``%(n)s``."""
        text = _translations(self.language).ngettext(one, many, number)
        return text % {"n": number, **values}

    def size(self, size_bytes: int) -> str:
        """Return bytes as people write them, such as ``4 GiB`` or ``1.5 GiB``."""
        value, unit = Fraction(size_bytes), 0
        while value >= _KI and unit < len(_UNITS) - 1:
            value, unit = value / _KI, unit + 1
        return f"{_short(value)} {_UNITS[unit]}"

    def cores(self, cores: Fraction) -> str:
        """Return a number of CPU cores, such as ``2 CPU`` or ``0.5 CPU``."""
        return self.say("%(cores)s CPU", cores=_short(cores))

    def listing(self, names: Sequence[str]) -> str:
        """Join names for a sentence."""
        return self.say(", ").join(names)


def _short(value: Fraction) -> str:
    """Return a number with at most three decimals and no trailing zeros."""
    return f"{float(value):.3f}".rstrip("0").rstrip(".")


@cache
def words(language: str) -> Words:
    """Return the words of a language."""
    return Words(language)


_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8})(?:[-_][A-Za-z0-9]{1,8})*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?"
)


def negotiate(accept_language: str, offered: Sequence[str]) -> str:
    """Return the language to answer in.

    Args:
        accept_language: the header as a browser sends it; may be empty or nonsense.
        offered: languages of the campus, the first one is the default.

    Source:
        RFC 9110 section 12.5.4.
    """
    wishes: Mapping[str, float] = _wishes(accept_language[:500])
    best = max(offered, key=lambda language: wishes.get(language, 0.0))
    return best if wishes.get(best, 0.0) > 0 else offered[0]


def _wishes(header: str) -> dict[str, float]:
    """Return primary language -> weight, the highest weight of each."""
    wishes: dict[str, float] = {}
    for part in header.split(","):
        if found := _RANGE.fullmatch(part):
            language, weight = found[1].lower(), float(found[2] or 1)
            wishes[language] = max(weight, wishes.get(language, 0.0))
    return wishes
