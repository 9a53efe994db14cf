"""What one run of the bench leaves behind: raw samples, their order, and the machine.

Filled by `rounds`, written and read by `__main__`, turned into a page by `report`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1

Values = Mapping[str, Mapping[str, float]]
"""Figure id -> arm (``ours`` or ``peer``) -> value in the figure's unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How a fixed piece of work went, just before or just after a round."""

    seconds: float
    """CPU time of the best of three."""

    crowding: float
    """Wall time by CPU time: above 1 where others used the processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Both arms, measured once, close together."""

    group: str
    """Which figures were measured."""

    first: str
    """The arm that was measured first."""

    before: Calibration
    after: Calibration
    kept: bool
    """False where the machine was too noisy; such a round counts for nothing."""

    values: Values


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run."""

    date: str
    """Start of the run, ISO 8601 with time zone."""

    book: str = "hub"
    """Which figures it is about, see `figures.BOOKS`."""

    seconds: float = 0.0
    """How long the run took."""

    wanted: int
    """Kept rounds that a result needs."""

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    rounds: list[Round] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Peer -> why it could not be measured."""

    failures: list[str] = field(default_factory=list)
    """Groups that broke off, and why."""

    def save(self, file: Path) -> None:
        """Write everything, in one step."""
        fresh = file.with_name(f"{file.name}.tmp")
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(file)

    @classmethod
    def load(cls, file: Path) -> Record:
        """Read a record.

        Raises:
            ValueError: when the file is of another format.
        """
        data = json.loads(file.read_text(encoding="utf-8"))
        if data.pop("format", None) != FORMAT:
            raise ValueError(f"{file} is not a record of format {FORMAT}")
        data["rounds"] = [
            Round(
                **{
                    **item,
                    "before": Calibration(**item["before"]),
                    "after": Calibration(**item["after"]),
                }
            )
            for item in data["rounds"]
        ]
        return cls(**data)
