"""`gpu_pools` of `campus.yaml`: sets of equal nodes, and what cuts their cards.

Which key belongs to which backend is checked in `rules.pools`; what the backends
make of it comes with the compiler of GPU shares.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from lectern_spawner.catalog import units
from lectern_spawner.catalog.reading import Many, Section
from lectern_spawner.catalog.sections.fields import (
    Bytes,
    Filled,
    LabelKey,
    LabelValue,
    Mig,
    TextLike,
    choice,
)

BACKENDS = (
    "whole", "time-slicing", "mps", "mig", "vgpu", "hami", "kai", "runai", "dra", "volcano",
    "koordinator", "gpu-manager", "gpushare", "mps-env", "custom",
)  # fmt: skip

Count = Annotated[int, Field(ge=1, le=100_000)]


class Cards(Section):
    """The cards of a pool; all nodes have the same."""

    model: Annotated[str, AfterValidator(units.title)] = Field(
        description="Model of the card, as the node's label or nvidia-smi names it.",
        examples=["NVIDIA-GeForce-RTX-3070", "Tesla-T4"],
    )
    memory: Bytes = Field(
        description="Memory of one card as the driver reports it, not as the box says.",
        examples=["7982Mi", "15360Mi"],
    )
    per_node: Count = Field(default=1, description="Cards in each node.", examples=[1, 8])
    nodes: Count = Field(default=1, description="Nodes of the pool.", examples=[50, 4])


class Toleration(Section):
    """A Kubernetes toleration for the pool's nodes."""

    key: LabelKey = Field(description="Key of the taint.", examples=["nvidia.com/gpu", "lab"])
    operator: Annotated[str, *choice("Exists", "Equal")] = Field(
        default="Exists", description="How the taint is compared.", examples=["Exists", "Equal"]
    )
    value: LabelValue | None = Field(
        default=None, description="Value of the taint, for `Equal`.", examples=["present", "yes"]
    )
    effect: Annotated[str, *choice("NoSchedule", "PreferNoSchedule", "NoExecute")] | None = Field(
        default=None,
        description="Effect of the taint; all if not set.",
        examples=["NoSchedule", "NoExecute"],
    )


class MigLayout(Section):
    """How cards are partitioned by MIG."""

    strategy: Annotated[str, *choice("single", "mixed")] = Field(
        default="mixed",
        description="Strategy of NVIDIA's device plugin.",
        examples=["mixed", "single"],
    )
    profiles: Annotated[dict[Mig, Annotated[int, Field(ge=1, le=64)]], Filled] = Field(
        description="MIG profiles that a card is cut into, and how many of each.",
        examples=[{"1g.5gb": 7}, {"1g.5gb": 4, "3g.20gb": 1}],
    )


class Custom(Section):
    """A mechanism that Lectern has no backend for, described by its resource."""

    resource: LabelKey = Field(
        description="Extended resource that is asked for.",
        examples=["tke.cloud.tencent.com/qgpu-core", "example.com/gpu-slices"],
    )
    unit: Annotated[str, *choice("percent", "shares", "MiB", "GiB")] = Field(
        description="What one of the resource stands for.", examples=["percent", "MiB"]
    )
    minimum: Count = Field(default=1, description="Least that may be asked for.", examples=[1, 5])
    multiple: Count = Field(default=1, description="Amounts are multiples of.", examples=[1, 5])
    annotations: dict[LabelKey, Annotated[str, AfterValidator(units.environment_value)]] = Field(
        default_factory=dict,
        description="Annotations of the pod.",
        examples=[{"example.com/mode": "shared"}, {"example.com/mode": "exclusive"}],
    )


class Pool(Section):
    """A homogeneous set of GPU nodes and the mechanism that cuts their cards."""

    title: TextLike | None = Field(
        default=None,
        description="What people read for this pool; the card's model if not set.",
        examples=[{"en": "Lab PCs", "zh": "机房电脑"}, "Servers"],
    )
    backend: Annotated[str, *choice(*BACKENDS)] = Field(
        description="The mechanism that cuts the cards.", examples=["hami", "mig"]
    )
    vendor: Annotated[str, *choice("nvidia", "amd", "intel", "huawei", "hygon")] = Field(
        default="nvidia", description="Who makes the cards.", examples=["nvidia", "amd"]
    )
    cards: Cards = Field(
        description="The cards of the pool.",
        examples=[
            {"model": "Tesla-T4", "memory": "15360Mi", "per_node": 8, "nodes": 4},
            {"model": "NVIDIA-GeForce-RTX-3070", "memory": "7982Mi", "nodes": 50},
        ],
    )
    reserve: Bytes | None = Field(
        default=None,
        description="Memory of each card that is kept back, for a desktop or for contexts.",
        examples=["300Mi", "512Mi"],
    )
    node_selector: dict[LabelKey, LabelValue] = Field(
        default_factory=dict,
        description="Labels of the pool's nodes.",
        examples=[{"lectern/pool": "lab"}, {"room": "b-201"}],
    )
    tolerations: Many[Toleration] = Field(
        default=(),
        description="Taints of the pool's nodes that servers tolerate.",
        examples=[[{"key": "nvidia.com/gpu"}], [{"key": "lab", "effect": "NoSchedule"}]],
    )
    runtime_class: LabelKey | None = Field(
        default=None, description="Kubernetes RuntimeClass of the pods.", examples=["nvidia", "amd"]
    )
    scheduler: LabelKey | None = Field(
        default=None,
        description="Kubernetes scheduler of the pods, where it is not the backend's usual one.",
        examples=["hami-scheduler", "volcano"],
    )
    resource: LabelKey | None = Field(
        default=None,
        description="Resource name of a card, where it is not the vendor's usual one.",
        examples=["nvidia.com/gpu", "gpu.intel.com/xe"],
    )
    replicas: Annotated[int, Field(ge=2, le=128)] | None = Field(
        default=None,
        description="Equal parts that each card is cut into (time-slicing, mps, dra in mode shares).",
        examples=[4, 2],
    )
    renamed: bool = Field(
        default=False,
        description="Whether the device plugin renames shared cards to `nvidia.com/gpu.shared`.",
        examples=[True, False],
    )
    fail_above_one: bool = Field(
        default=True,
        description="Whether the device plugin refuses more than one part (time-slicing).",
        examples=[True, False],
    )
    mig: MigLayout | None = Field(
        default=None,
        description="How cards are partitioned (mig, dra in mode mig).",
        examples=[
            {"profiles": {"1g.5gb": 7}},
            {"strategy": "single", "profiles": {"1g.5gb": 7}},
        ],
    )
    memory_unit: Annotated[str, *choice("GiB", "MiB")] = Field(
        default="GiB",
        description="Unit in which the device plugin counts memory (gpushare).",
        examples=["GiB", "MiB"],
    )
    memory_factor: Count = Field(
        default=1,
        description="MiB in one unit of the device plugin's memory (hami, volcano).",
        examples=[1, 10],
    )
    split_count: Annotated[int, Field(ge=1, le=128)] = Field(
        default=10,
        description="Most servers on one card, as the device plugin is set (hami).",
        examples=[10, 4],
    )
    compute_cap: Annotated[str, *choice("none", "proportional")] | None = Field(
        default=None,
        description="Whether a part of a card also caps its computing (hami, volcano).",
        examples=["proportional", "none"],
    )
    queue: LabelKey | None = Field(
        default=None,
        description="Queue or project that pods are counted for (kai, runai, volcano).",
        examples=["teaching", "lab"],
    )
    priority_class: LabelKey | None = Field(
        default=None,
        description="Priority class of the scheduler, such as one that is not preempted (kai).",
        examples=["build", "train"],
    )
    isolator: bool = Field(
        default=False,
        description="Whether a memory isolator is installed beside the scheduler (kai).",
        examples=[True, False],
    )
    mode: Annotated[str, *choice("whole", "mig", "shares", "memory", "hami-core")] = Field(
        default="whole",
        description="What the DRA driver offers (dra).",
        examples=["whole", "memory"],
    )
    device_class: LabelKey | None = Field(
        default=None,
        description="DeviceClass that claims name (dra).",
        examples=["gpu.nvidia.com", "mig.nvidia.com"],
    )
    custom: Custom | None = Field(
        default=None,
        description="The resource of the mechanism (custom).",
        examples=[
            {"resource": "tke.cloud.tencent.com/qgpu-core", "unit": "percent", "multiple": 5},
            {"resource": "example.com/gpu-slices", "unit": "shares"},
        ],
    )
