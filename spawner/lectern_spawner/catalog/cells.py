"""How characters are shown: escaped where they could hide something, and how wide.

Used by everything that prints text that somebody else wrote.
"""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """Return text with everything escaped that could steer a terminal or hide from the eye."""
    return "".join(cell(character)[0] for character in text)


def cell(character: str) -> tuple[str, int]:
    """Return how one character is shown, and how many columns that takes."""
    if " " <= character < "\x7f":
        return character, 1
    category = unicodedata.category(character)
    if character == "\t":
        return "  ", 2
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        escaped = ascii(character)[1:-1]
        return escaped, len(escaped)
    if category in ("Mn", "Me"):
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1
