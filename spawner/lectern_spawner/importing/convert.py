"""From the data of a values file to the files of a campus, with an account of every value."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lectern_spawner.catalog import Diagnostic, load
from lectern_spawner.importing import hub, people, writing
from lectern_spawner.importing.gpus import Pools
from lectern_spawner.importing.images import Images
from lectern_spawner.importing.ledger import Fate, Ledger, Totals
from lectern_spawner.importing.profiles import Profiles
from lectern_spawner.importing.reasons import reason
from lectern_spawner.paths import Where


class NoHubError(Exception):
    """The input holds no settings of a hub."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one values file."""

    files: Mapping[str, str]
    """Name to text."""

    fates: Mapping[Where, Fate]
    totals: Totals
    problems: tuple[Diagnostic, ...]
    """What `lectern check` says about the files."""


def convert(data: object, course: str, instructors: Sequence[str]) -> Imported:
    """Return the campus that a values file describes.

    Args:
        data: what `reading.read` returned.
        course: id of the course that gets all profiles.
        instructors: names, at least one.

    Raises:
        NoHubError: when no settings of a hub are in the data.
    """
    found = hub.find(data)
    if found is None:
        raise NoHubError("there are no settings of JupyterHub in this file")
    ledger = Ledger(data)
    images = Images(ledger)
    pools = Pools(ledger)
    profiles = Profiles(found, images, pools, ledger).make()
    listed = people.carried(found, instructors, ledger)
    ledger.settle(lambda where: reason(found, where))
    files = {
        "campus.yaml": writing.campus(images.by_ref, pools.per_node),
        f"{course}.yaml": writing.course(course, listed, profiles),
    }
    return Imported(files, ledger.fates(), ledger.totals(), _problems(files))


def _problems(files: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    with tempfile.TemporaryDirectory(prefix="lectern-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return load(Path(folder)).diagnostics
