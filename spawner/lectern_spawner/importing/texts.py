"""Texts and names of another hub as a campus's files want them. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Container
from html.parser import HTMLParser

from lectern_spawner.catalog.units import LONGEST_TITLE, title

LONGEST_ID = 30
_MARKUP = re.compile(r"</?[A-Za-z][^>]*>|&[A-Za-z#0-9]+;|<!--")
_UNSEEN = ("script", "style")


class _Words(HTMLParser):
    """Collects the words of HTML; tags only part them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unseen += tag in _UNSEEN
        if tag in ("br", "p", "li", "div", "tr"):
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.unseen = max(0, self.unseen - (tag in _UNSEEN))

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.words.append(data)


def plain(text: str) -> str:
    """Return a text in one line, without HTML; empty when nothing is left of it."""
    if _MARKUP.search(text):
        words = _Words()
        words.feed(text)
        words.close()
        text = html.unescape("".join(words.words))
    text = "".join(" " if _is_gap(c) else c for c in text if not _is_forbidden(c))
    return shortened(" ".join(text.split()))


def _is_gap(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Zl", "Zp", "Zs")


def _is_forbidden(character: str) -> bool:
    if _is_gap(character):
        return False
    try:
        title(character)
    except ValueError:
        return True
    return character == "\ufeff"


def shortened(text: str) -> str:
    """Return a text that is short enough for a title."""
    return text if len(text) <= LONGEST_TITLE else text[: LONGEST_TITLE - 1].rstrip() + "…"


def identifier(text: str, otherwise: str, taken: Container[str] = ()) -> str:
    """Return an id like a text, one that is not taken yet.

    Args:
        text: any text; Chinese and other scripts give nothing to make an id of.
        otherwise: an id for that case.
        taken: ids that are in use.
    """
    folded = unicodedata.normalize("NFKD", text).lower()
    slug = re.sub(r"[^a-z0-9]+", "-", folded.encode("ascii", "ignore").decode()).strip("-")
    letters = [character for character in folded if character.isalpha()]
    if sum(character.isascii() for character in letters) < len(letters) / 2:
        # What is left of a Chinese title, such as `2-gb`, would say the wrong thing.
        slug = ""
    if slug and not slug[0].isalpha():
        slug = f"p-{slug}"
    base = slug[:LONGEST_ID].strip("-") or otherwise
    found, number = base, 1
    while found in taken:
        number += 1
        ending = f"-{number}"
        found = base[: LONGEST_ID - len(ending)].rstrip("-") + ending
    return found
