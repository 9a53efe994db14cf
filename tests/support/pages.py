"""Read the spawn page and the hub's log as a person would."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.support.running import RunningHub

LAST_USED = "lectern-last-title"
_PATIENCE_SECONDS = 10


class Offers(HTMLParser):
    """The profiles on a spawn page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.groups: dict[str, list[str]] = {}
        self.disabled: set[str] = set()
        self.language = ""
        self._group = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "html":
            self.language = has.get("lang") or ""
        elif tag == "h2":
            self._group = (has.get("id") or "").removeprefix("course-")
            self.groups[self._group] = []
        elif tag == "button" and has.get("name") == "profile":
            self.groups[self._group].append(has["value"] or "")
            if "disabled" in has:
                self.disabled.add(has["value"] or "")

    @property
    def courses(self) -> dict[str, list[str]]:
        """Course -> names of its profiles, in the order of the page."""
        return {name: found for name, found in self.groups.items() if name != LAST_USED}

    @property
    def last_used(self) -> list[str]:
        return self.groups.get(LAST_USED, [])


@dataclass
class News:
    """What a hub has logged in a while."""

    hub: RunningHub
    records: list[str] = field(default_factory=list)

    def once(self, sentence: str) -> None:
        """Assert that exactly one record has a sentence."""
        found = [record for record in self.records if sentence in record]
        assert len(found) == 1, f"{sentence!r} was logged {len(found)} times: {self.records}"


@contextmanager
def news(hub: RunningHub) -> Iterator[News]:
    """Collect what the hub logs meanwhile, up to the line of the last request; no tracebacks."""
    before = len(hub.log)
    told = News(hub)
    yield told
    deadline = time.monotonic() + _PATIENCE_SECONDS
    marker = f"/hub/api/?told={time.monotonic_ns()}"
    hub.get_quietly(marker)
    while marker not in (text := hub.log[before:]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert marker in text, "the hub no longer writes its log"
    told.records = re.split(r"\n(?=\[)", text)
    accidents = [record for record in told.records if "Traceback" in record]
    assert not accidents, accidents[0]
