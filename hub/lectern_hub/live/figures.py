"""What monitoring learns about course files, beside JupyterHub's own figures."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram

_ERRORS = Gauge("lectern_catalog_errors", "Errors in a file of the campus.", ["file"])
_RELOADS = Counter(
    "lectern_catalog_reloads",
    "Looks at the campus folder that found something new: `ok` without errors, `broken` with "
    "errors in some file, `failed` when the look itself went wrong.",
    ["result"],
)
_SECONDS = Histogram(
    "lectern_catalog_reload_seconds",
    "How long it took to read what had changed.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30),
)

OK, BROKEN, FAILED = "ok", "broken", "failed"
for _result in (OK, BROKEN, FAILED):
    _RELOADS.labels(_result)  # there from the start, so that alarms can be written


def show_errors(files: Mapping[str, int]) -> None:
    """Show the files with errors, and no others."""
    _ERRORS.clear()
    for file, count in files.items():
        _ERRORS.labels(file).set(count)


def count(result: str, seconds: float | None = None) -> None:
    """Count a look that found something new.

    Args:
        result: one of `OK`, `BROKEN` and `FAILED`.
        seconds: how long it took.
    """
    _RELOADS.labels(result).inc()
    if seconds is not None:
        _SECONDS.observe(seconds)
