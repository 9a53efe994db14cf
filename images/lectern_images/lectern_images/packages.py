"""Which packages an image holds, and under which licenses: from dpkg's, pip's and npm's own records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from lectern_images.contents import Entry

DEB, PYPI, NPM = "deb", "pypi", "npm"
_STATUS = "var/lib/dpkg/status"
_COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright")
_METADATA = re.compile(r".*/(site|dist)-packages/[^/]+\.dist-info/METADATA")
"""Not those that a package has copied into itself: pip does not count them either."""
_PACKAGE_JSON = re.compile(r"(.*/)?node_modules/(@[^/]+/)?[^/@.][^/]*/package\.json")
_LICENSE_LINE = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)
_MOST_LICENSE_LETTERS = 120


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """Something that was installed."""

    kind: str
    """`DEB`, `PYPI` or `NPM`."""

    name: str
    version: str
    licenses: tuple[str, ...] = ()
    """As the package itself names them; empty when it says nothing that can be read."""

    place: str = ""
    """Folder of a package of Python or npm: there may be several versions."""


def packages(found: Iterable[Entry]) -> list[Package]:
    """Return all packages, sorted, from one walk over an image."""
    debs: list[Package] = []
    others: list[Package] = []
    licenses: dict[str, tuple[str, ...]] = {}
    for entry in found:
        if entry.path == _STATUS:
            debs = list(_installed(entry.read()))
        elif match := _COPYRIGHT.fullmatch(entry.path):
            licenses[match[1]] = _deb_licenses(entry.read().decode(errors="replace"))
        elif _METADATA.fullmatch(entry.path):
            others.append(_python(entry))
        elif _PACKAGE_JSON.fullmatch(entry.path):
            others += _npm(entry)
    debs = [
        Package(DEB, row.name, row.version, licenses.get(row.name.partition(":")[0], ()))
        for row in debs
    ]
    return sorted([*debs, *others])


def _installed(status: bytes) -> Iterator[Package]:
    for block in status.split(b"\n\n"):
        about = message_from_bytes(block)
        if about["Status"] == "install ok installed":
            yield Package(DEB, about["Package"], about["Version"])


def _deb_licenses(text: str) -> tuple[str, ...]:
    """Return the short names of a machine-readable copyright file."""
    return tuple(sorted(set(_LICENSE_LINE.findall(text))))


def _python(entry: Entry) -> Package:
    about = message_from_bytes(entry.read())
    place = entry.path.rpartition("/")[0].rpartition("/")[0]
    return Package(PYPI, about["Name"], about["Version"], _python_licenses(about), place)


def _python_licenses(about: Message) -> tuple[str, ...]:
    if expression := about["License-Expression"]:
        return (expression,)
    classes = about.get_all("Classifier") or []
    names = [row.rpartition(" :: ")[2] for row in classes if row.startswith("License ::")]
    text = str(about["License"] or "").strip()
    if not names and text and len(text) <= _MOST_LICENSE_LETTERS and "\n" not in text:
        names = [text]
    return tuple(sorted(set(names)))


def _npm(entry: Entry) -> Iterator[Package]:
    """Yield a package of npm; nothing for a file that only tells Node.js how to read a folder."""
    about = json.loads(entry.read())
    if "name" in about and "version" in about:
        words = about.get("license")
        licenses = (words,) if isinstance(words, str) and words else ()
        place = entry.path.rpartition("/")[0]
        yield Package(NPM, about["name"], about["version"], licenses, place)
