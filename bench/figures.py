"""The figures: what is measured, in which unit, and what is promised.

Read by `report`; the values come from `live`, `pages`, `inside`, `catalog`,
`reload`, `clusters` and `images`.
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

    enough: int | None = None
    """Kept rounds that a result needs where a round takes minutes; else as many as the record says."""


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

CLUSTER_FIGURES: tuple[Figure, ...] = (
    Figure(id="cluster_control_plane", title="Control plane ready", unit="s", limit=6.0),
    Figure(
        id="cluster_host_node",
        title="Host node Ready, with Services, DNS and policies, after that",
        unit="s",
        limit=10.0,
    ),
    Figure(
        id="cluster_machine_kvm",
        title="Machine node Ready, hardware virtualisation",
        unit="s",
        limit=60.0,
    ),
    Figure(
        id="cluster_machine_tcg",
        title="Machine node Ready, software emulation",
        unit="s",
        limit=60.0,
    ),
    Figure(id="cluster_process_node", title="Process node Ready, each of 50", unit="s", limit=0.2),
    Figure(id="cluster_end", title="End of a cluster with all of these", unit="s"),
    Figure(
        id="cluster_crowd_memory",
        title="Memory of all programs, 3,000 pods on 200 process nodes",
        unit="GiB",
        limit=1.86,  # 2 GB
        enough=1,
    ),
    Figure(
        id="cluster_crowd_seconds",
        title="From asking for 3,000 pods until all run, on 200 process nodes",
        unit="s",
        enough=1,
    ),
)
"""Those of `make bench-cluster`, a run of its own."""

IMAGE_FIGURES: tuple[Figure, ...] = (
    Figure(
        id="image_cold",
        title="Build of base from nothing, with everything that it downloads",
        unit="s",
        limit=180.0,
        enough=3,
    ),
    Figure(
        id="image_again",
        title="Build of base after a line of a lock was added",
        unit="s",
        limit=90.0,
        enough=3,
    ),
    Figure(id="image_size_base", title="base, unpacked", unit="MB", limit=650.0, enough=1),
    Figure(
        id="image_size_datascience",
        title="datascience, unpacked",
        unit="MB",
        limit=1600.0,
        enough=1,
    ),
    Figure(
        id="image_size_desktop-octave",
        title="desktop-octave, unpacked",
        unit="MB",
        limit=1500.0,
        enough=1,
    ),
    Figure(
        id="image_pod",
        title="From asking for a pod until its JupyterLab answers, the image being there",
        unit="s",
        limit=5.0,
    ),
    Figure(
        id="image_first_start",
        title="First start of JupyterLab in a new pod",
        unit="s",
        peer="the second start in that pod",
        ratio=1.3,
    ),
)
"""Those of `make bench-images`, a run of its own."""

BOOKS: dict[str, tuple[Figure, ...]] = {
    "hub": FIGURES,
    "cluster": CLUSTER_FIGURES,
    "images": IMAGE_FIGURES,
}
"""What a record is about -> its figures."""
