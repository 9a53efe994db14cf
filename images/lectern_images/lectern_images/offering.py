"""The list's images as entries of a campus, which is the only list that the catalog reads.

What a campus decides stays as it wrote it: titles, and references, since it may keep the
images in a registry of its own. What an image can do and whether it is deprecated is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lectern_images.listing import ImageList
from lectern_spawner.catalog import nodes
from lectern_spawner.edit.change import Wish, plan
from lectern_spawner.edit.data import UNSET, at

_OURS = ("capabilities", "status", "successor")


def entry(listed: ImageList, name: str) -> dict[str, Any]:
    """Return an image's entry for a campus that does not have it yet."""
    image = listed.file.images[name]
    title = image.title if isinstance(image.title, str) else dict(image.title)
    return {"title": title, "ref": listed.reference(name), **_ours(listed, name)}


def _ours(listed: ImageList, name: str) -> dict[str, Any]:
    image = listed.file.images[name]
    found: dict[str, Any] = {}
    if capabilities := listed.all_of(name, "capabilities"):
        found["capabilities"] = list(capabilities)
    if image.status != "active":
        found["status"] = image.status
    if image.successor:
        found["successor"] = image.successor
    return found


def offered(listed: ImageList) -> list[str]:
    """Return the images that profiles may name."""
    return [name for name in listed.order if _is_offered(listed, name)]


def _is_offered(listed: ImageList, name: str) -> bool:
    image = listed.file.images.get(name)
    return image is not None and image.offered


def updated(listed: ImageList, text: str) -> str:
    """Return the text of a campus file in which every image of the list has its entry.

    Raises:
        RefusedChangeError: when the file is too unusual to be changed by a program.
    """
    for name in offered(listed):
        for wish in _wishes(listed, name, text):
            text = plan(text, wish).new_text
    return text


def _wishes(listed: ImageList, name: str, text: str) -> Iterator[Wish]:
    data = nodes.parse(text, "")[0].data
    there = at(data, ("images", name))
    if not isinstance(there, dict):
        yield Wish(where=("images", name), value=entry(listed, name))
        return
    wanted = _ours(listed, name)
    for key in _OURS:
        if there.get(key) != wanted.get(key):
            yield Wish(where=("images", name, key), value=wanted.get(key, UNSET))
