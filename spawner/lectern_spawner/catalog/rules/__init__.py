"""What must hold beyond a single value: references, contradictions, sizes, dates.

One small function per rule, called with files that already have the right shape.
Each yields diagnostics and knows nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from lectern_spawner.catalog.diagnostics import Diagnostic
from lectern_spawner.catalog.rules import gpu, grading, references, schedule, sizes
from lectern_spawner.catalog.rules.campus import campus_problems, unknown_courses
from lectern_spawner.catalog.rules.common import Checked

__all__ = ["Checked", "campus_problems", "course_problems", "unknown_courses"]

COURSE_RULES = (
    *references.RULES, *sizes.RULES, gpu.problems, *schedule.RULES, *grading.RULES,
)  # fmt: skip


def course_problems(checked: Checked) -> Iterator[Diagnostic]:
    """Yield what is wrong inside a course file of the right shape."""
    for rule in COURSE_RULES:
        yield from rule(checked)
