"""The figures: what is measured, in which unit, and what is promised.

Read by `report`; the values come from `live`, `pages`, `inside`,
`catalog` and `reload`.
"""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = "plain JupyterHub"
KUBE = "kubespawner"
COMPOSE = "ruamel.yaml alone, composing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the page."""

    id: str
    title: str
    unit: str
    peer: str = ""
    """Who stands beside us; empty where nobody does the same."""

    ratio: float | None = None
    """Target: at most this many times the peer."""

    limit: float | None = None
    """Target: at most this much, in the unit."""


FIGURES: tuple[Figure, ...] = (
    Figure(
        id="cold_start",
        title="Cold start, from nothing to the login page",
        unit="s",
        peer=PLAIN,
        ratio=1.15,
    ),
    Figure(
        id="login_to_lab",
        title="From sending the login form to JupyterLab's page",
        unit="s",
        peer=PLAIN,
        ratio=1.10,
    ),
    Figure(
        id="start_cpu", title="Hub CPU per start of a server", unit="ms", peer=PLAIN, ratio=0.85
    ),
    Figure(id="idle_cpu", title="Hub CPU per second of idling", unit="ms", peer=PLAIN),
    *(
        Figure(
            id=f"page_{size}",
            title=f"Spawn page: CPU of the form, {size:,} profiles that the person cannot see",
            unit="ms",
            peer=KUBE,
            limit=3.0,
        )
        for size in (20, 200, 2000)
    ),
    Figure(
        id="page_growth",
        title="Spawn page: growth from 20 to 2,000, as an exponent (0 is flat)",
        unit="",
        limit=0.1,
    ),
    Figure(id="page_visible", title="Spawn page with 2,000 visible profiles", unit="ms", peer=KUBE),
    *(
        Figure(
            id=f"http_page_{size}",
            title=f"Spawn page: hub CPU through HTTP, {size:,} profiles that cannot be seen",
            unit="ms",
            peer=f"{PLAIN}, a form of one line",
        )
        for size in (20, 200, 2000)
    ),
    Figure(
        id="http_page_growth",
        title="Spawn page through HTTP: growth from 20 to 2,000, as an exponent",
        unit="",
        limit=0.1,
    ),
    *(
        Figure(
            id=f"decide_{size}",
            title=f"Resolving a choice, {size:,} profiles that the person cannot see",
            unit="ms",
            limit=0.3,
        )
        for size in (20, 200, 2000)
    ),
    Figure(
        id="decide_growth",
        title="Resolving a choice: growth from 20 to 2,000, as an exponent",
        unit="",
        limit=0.1,
    ),
    Figure(id="decide_visible", title="Resolving a choice with 2,000 visible profiles", unit="ms"),
    Figure(
        id="memory",
        title="Memory per user object with its spawner, 200 profiles",
        unit="KiB",
        peer=KUBE,
        limit=40.0,
    ),
    Figure(
        id="catalog_new",
        title="Catalog: checking 500 course files of 100 lines in a new process",
        unit="s",
        peer=COMPOSE,
        limit=5.0,
    ),
    Figure(
        id="catalog_changed",
        title="Catalog: a reload when one of 500 courses changed",
        unit="ms",
        limit=500.0,
    ),
    Figure(
        id="catalog_blocked",
        title="Catalog: longest wait of the event loop, one of 500 courses changed",
        unit="ms",
        limit=50.0,
    ),
    Figure(
        id="catalog_blocked_all",
        title="Catalog: longest wait of the event loop, all of 500 courses changed",
        unit="ms",
        limit=50.0,
    ),
    Figure(
        id="catalog_memory",
        title="Catalog: memory for 500 courses and what a reload needs",
        unit="MiB",
        limit=60.0,
    ),
    Figure(
        id="catalog_bad",
        title="Catalog: the slowest of the bad files of 127 KiB",
        unit="s",
        limit=1.0,
    ),
    Figure(
        id="reload_one",
        title="Reload of one of 500 courses by the hub: longest pause of the event loop",
        unit="ms",
        limit=50.0,
    ),
    Figure(
        id="reload_all",
        title="Reload of 500 courses by the hub: longest pause of the event loop",
        unit="ms",
        limit=50.0,
    ),
)
