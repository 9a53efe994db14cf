"""Which image must be on which nodes before the first student comes: from the catalog.

Images of profiles with a GPU go to the pools that could give it, and nowhere else: they
are the largest. All others go to the nodes of no pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lectern_spawner.catalog import Catalog
from lectern_spawner.catalog.rules.gpu import fitting

ELSEWHERE = ""
"""Stands for the nodes that belong to no pool."""


def plan(catalog: Catalog) -> dict[str, Any]:
    """Return what a chart needs to know.

    Returns:
        ``elsewhere`` with image references, and ``pools`` with ``images``, ``node_selector``
        and ``tolerations`` by the pool's name; sorted, so the same catalog is the same text.
    """
    wanted: dict[str, set[str]] = {ELSEWHERE: set()}
    for image, place in _needs(catalog):
        wanted.setdefault(place, set()).add(catalog.campus.images[image].ref)
    pools = {}
    for name in sorted(set(wanted) - {ELSEWHERE}):
        pool = catalog.campus.gpu_pools[name]
        pools[name] = {
            "images": sorted(wanted[name]),
            "node_selector": dict(pool.node_selector),
            "tolerations": [row.model_dump(exclude_none=True) for row in pool.tolerations],
        }
    return {"elsewhere": sorted(wanted[ELSEWHERE]), "pools": pools}


def _needs(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield every image with a pool that its servers may come to."""
    for course in catalog.courses.values():
        for profile in course.profiles.values():
            if not profile.gpu:
                yield profile.image, ELSEWHERE
            for way in profile.gpu:
                for name in fitting(way, catalog.campus.gpu_pools):
                    yield profile.image, name
