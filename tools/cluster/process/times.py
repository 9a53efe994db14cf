"""Times as the API server reads them."""

from __future__ import annotations

from datetime import UTC, datetime


def whole(moment: float) -> str:
    """Return a moment in seconds since 1970 as ``2026-01-31T12:00:00Z``."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact(moment: float) -> str:
    """Return a moment with microseconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str) -> float:
    """Return the seconds since 1970 of a time in either form."""
    return datetime.fromisoformat(text).timestamp()
