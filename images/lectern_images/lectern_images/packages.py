"""Which packages an image holds, and under which licenses: from dpkg's and pip's own records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from lectern_images.contents import Entry

DEB, PYPI = "deb", "pypi"
_STATUS = "var/lib/dpkg/status"
_COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright")
_METADATA = re.compile(r".*/(site|dist)-packages/[^/]+\.dist-info/METADATA")
"""Not those that a package has copied into itself: pip does not count them either."""
_LICENSE_LINE = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)
_MOST_LICENSE_LETTERS = 120


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """Something that was installed."""

    kind: str
    """`DEB` or `PYPI`."""

    name: str
    version: str
    licenses: tuple[str, ...] = ()
    """As the package itself names them; empty when it says nothing that can be read."""

    place: str = ""
    """Folder of a Python package: the server's and the notebooks' may differ."""


def packages(found: Iterable[Entry]) -> list[Package]:
    """Return all packages, sorted, from one walk over an image."""
    debs: list[Package] = []
    python: list[Package] = []
    licenses: dict[str, tuple[str, ...]] = {}
    for entry in found:
        if entry.path == _STATUS:
            debs = list(_installed(entry.read()))
        elif match := _COPYRIGHT.fullmatch(entry.path):
            licenses[match[1]] = _deb_licenses(entry.read().decode(errors="replace"))
        elif _METADATA.fullmatch(entry.path):
            python.append(_python(entry))
    debs = [
        Package(DEB, row.name, row.version, licenses.get(row.name.partition(":")[0], ()))
        for row in debs
    ]
    return sorted([*debs, *python])


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
