"""Plain data of what was compiled, for `lectern show` and `lectern diff`.

Bytes stay bytes, durations become seconds, fractions stay exact as text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lectern_spawner.catalog import Campus, Course, Profile, Text
from lectern_spawner.catalog.opening import calendar_of

_NOT_SHOWN = frozenset({"source", "file", "profiles", "people"})


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a value of the catalog as JSON data."""
    if isinstance(value, Text):
        return dict(value.by_language) if value.by_language[0][0] else value.by_language[0][1]
    if isinstance(value, BaseModel):
        return {
            field.alias or name: plain(getattr(value, name))
            for name, field in type(value).model_fields.items()
            if getattr(value, name) not in (None, (), {})
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (f.name for f in dataclasses.fields(value) if f.name not in _NOT_SHOWN)
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, time):
        return "24:00" if value == time.max else f"{value:%H:%M}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M}"
    if isinstance(value, Fraction | date | Path):
        return str(value)
    return value


def surroundings(course: Course, profile: Profile, campus: Campus) -> dict[str, Any]:
    """Return what the files say around a profile: of it, of its course, of the campus.

    Only what concerns this profile: its image, the pools and licenses that it
    names, the storage of its course.
    """
    pools = {name for gpu in profile.gpu for name in gpu.pool or campus.gpu_pools}
    storage = {data.storage for data in course.data}
    storage |= {course.home.server} if course.home else set()
    storage |= {course.shared.source.partition(":")[0]} if course.shared else set()
    named = {
        name
        for lesson in (course.lessons.weekly if course.lessons else ())
        for name in lesson.licenses
    }
    licenses = {*profile.licenses, *named}
    return {
        "profile": plain(profile),
        "course": plain(course),
        "campus": {
            "languages": list(campus.languages),
            "image": plain(campus.images[profile.image]),
            "gpu_pools": {name: plain(campus.gpu_pools[name]) for name in sorted(pools)},
            "storage": {name: plain(campus.storage[name]) for name in sorted(storage)},
            "licenses": {name: plain(campus.licenses[name]) for name in sorted(licenses)},
            "calendar": plain(calendar_of(course, campus)),
            "limits": plain(campus.limits),
            "editors": [plain(e) for e in campus.editors if course.id in e.courses],
        },
    }
