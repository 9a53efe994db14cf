"""What became of a campus folder, and how its problems are put in order.

Made by `shelf` for the hub, at start and on reload, and for `lectern check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lectern_spawner.catalog.diagnostics import CatalogError, Diagnostic, tidy
from lectern_spawner.catalog.model import Catalog

CAMPUS_FILE = "campus.yaml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a campus folder."""

    catalog: Catalog | None
    """None when the campus file has errors; courses with errors are left out."""

    diagnostics: tuple[Diagnostic, ...]
    files: int
    """How many files were read, rosters included."""

    kept: tuple[str, ...] = ()
    """Files whose last good version is in use, because what lies there now is no good."""

    def require(self) -> Catalog:
        """Return the catalog.

        Raises:
            CatalogError: when there is none.
        """
        if self.catalog is None:
            raise CatalogError(self.diagnostics)
        return self.catalog


def in_order(diagnostics: Iterable[Diagnostic], campus: Path) -> tuple[Diagnostic, ...]:
    """Return diagnostics sorted and without repeats, those of the campus file first."""
    return tuple(sorted(tidy(diagnostics), key=lambda item: item.file != str(campus)))


def course_paths(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the course files among the names in a campus folder."""
    return [folder / name for name in names if _is_course(name)]


def unread(folder: Path, names: Sequence[str]) -> Iterator[Diagnostic]:
    """Yield a warning for each file that somebody may take for a course file."""
    for name in names:
        stem, dot, ending = name.rpartition(".")
        if dot and stem and ending.lower() in ("yml", "yaml") and not name.endswith(".yaml"):
            yield Diagnostic(
                code="LEC013",
                message=f"file `{name}` is not read",
                file=str(folder / name),
                severity="warning",
                help=f"rename it to `{stem}.yaml`",
            )


def no_folder(folder: Path, error: OSError | ValueError) -> Diagnostic:
    """Return the diagnostic for a folder that cannot be listed."""
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    message = f"the campus folder cannot be read: {reason}"
    return Diagnostic(code="LEC006", message=message, file=str(folder))


def _is_course(name: str) -> bool:
    return name.endswith(".yaml") and name != CAMPUS_FILE and not name.startswith(".")
