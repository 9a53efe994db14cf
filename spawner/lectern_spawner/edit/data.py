"""Change one place of plain data, and compare plain data strictly."""

from __future__ import annotations

from lectern_spawner.paths import Where, show


class Unset:
    """The wish that a key or item is gone."""


UNSET = Unset()


class NoPlaceError(ValueError):
    """There is no such place; the message says why."""


def changed(data: object, where: Where, value: object) -> object:
    """Return a copy of the data with one place changed, sections in between made as needed.

    Raises:
        NoPlaceError: when the data has no room for that place.
    """
    return _changed(data, where, 0, value)


def _changed(data: object, where: Where, depth: int, value: object) -> object:
    if depth == len(where):
        return value
    if data is None and value is not UNSET:
        data = [] if isinstance(where[depth], int) else {}
    part = where[depth]
    if isinstance(part, int):
        return _in_list(data, where, depth, value)
    if not isinstance(data, dict):
        raise _wrong_kind(data, where[:depth], "a section with keys")
    copy = dict(data)
    if value is UNSET and part not in copy:
        raise NoPlaceError(f"there is no `{show(where[: depth + 1])}`")
    if value is UNSET and depth == len(where) - 1:
        del copy[part]
    else:
        copy[part] = _changed(copy.get(part), where, depth + 1, value)
    return copy


def _in_list(data: object, where: Where, depth: int, value: object) -> object:
    part = where[depth]
    if not isinstance(data, list) or not isinstance(part, int):
        raise _wrong_kind(data, where[:depth], "a list")
    copy = list(data)
    length = len(copy)
    if part > length or (part == length and value is UNSET):
        words = f"`{show(where[:depth])}` has {length} item{'' if length == 1 else 's'}"
        raise NoPlaceError(f"{words}; [{length}] would add one")
    if value is UNSET and depth == len(where) - 1:
        del copy[part]
        return copy
    item = copy[part] if part < length else None
    return [*copy[:part], _changed(item, where, depth + 1, value), *copy[part + 1 :]]


def _wrong_kind(data: object, where: Where, wanted: str) -> NoPlaceError:
    is_now = "a list" if isinstance(data, list) else "one value"
    if isinstance(data, dict):
        is_now = "a section with keys"
    place = f"`{show(where)}`" if where else "the file"
    return NoPlaceError(f"{place} is {is_now}, not {wanted}")


def at(data: object, where: Where) -> object:
    """Return the value at a place that exists, or None."""
    for part in where:
        if isinstance(data, dict):
            data = data.get(str(part))
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def same(one: object, other: object) -> bool:
    """Whether plain data is equal, 1 and true and 1.0 being three different things."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    # A value that is no number equals nothing, not even itself.
    return one == other or repr(one) == repr(other)
