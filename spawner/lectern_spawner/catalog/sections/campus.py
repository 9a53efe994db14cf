"""`campus.yaml`: what courses refer to, and how much they may take."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from lectern_spawner.catalog import addresses, units
from lectern_spawner.catalog.reading import Many, Section
from lectern_spawner.catalog.sections.fields import (
    Bytes,
    Cores,
    Filled,
    GroupName,
    Id,
    LanguageName,
    NamesOrGroup,
    Person,
    Share,
    TextLike,
    choice,
)
from lectern_spawner.catalog.sections.pools import Pool
from lectern_spawner.catalog.sections.times import Calendar

CAPABILITIES = ("gpu", "desktop", "nbgrader", "matlab", "octave", "vscode", "tensorboard")

Amount = Annotated[int, Field(ge=0, le=100_000)]
Hours = Annotated[int, Field(ge=1, le=8760)]


class ImageFile(Section):
    """An image that profiles may name."""

    title: TextLike = Field(
        description="What people read for this image.",
        examples=[{"en": "Data science", "zh": "数据科学"}, "PyTorch"],
    )
    ref: Annotated[str, AfterValidator(units.image_reference)] = Field(
        description="Where the image lies, with a tag or a digest.",
        examples=["lectern/datascience:1", "harbor.example.edu/lab/pytorch:2026.9"],
    )
    capabilities: Many[Annotated[str, *choice(*CAPABILITIES)]] = Field(
        default=(),
        description="What the image can do beside JupyterLab; not checked where nothing is said.",
        examples=[["gpu", "tensorboard"], ["desktop", "octave"]],
    )
    status: Annotated[str, *choice("active", "deprecated")] = Field(
        default="active",
        description="Whether new courses should use it.",
        examples=["deprecated", "active"],
    )
    successor: Id | None = Field(
        default=None,
        description="Image to use instead of a deprecated one.",
        examples=["datascience", "gpu-pytorch"],
    )


class StorageFile(Section):
    """A place for homes and data: a folder of this machine, an NFS export, or both."""

    title: TextLike | None = Field(
        default=None,
        description="What people read for this storage.",
        examples=[{"en": "Teaching data", "zh": "教学数据"}, "Archive"],
    )
    path: Annotated[str, AfterValidator(units.storage_path)] | None = Field(
        default=None,
        description="Folder of this machine, absolute or beside campus.yaml.",
        examples=["data", "/srv/teaching"],
    )
    nfs: Annotated[str, AfterValidator(addresses.nfs_export)] | None = Field(
        default=None,
        description="NFS export, for servers on Kubernetes.",
        examples=["nas.example.edu:/export/homes", "10.0.0.5:/volume1/lab"],
    )
    squash: Annotated[str, *choice("none", "root", "all")] = Field(
        default="root",
        description="Which users the NFS server maps to nobody.",
        examples=["none", "all"],
    )
    mount_options: Many[Annotated[str, AfterValidator(addresses.mount_option)]] = Field(
        default=(),
        description="Options of the NFS mount.",
        examples=[["nfsvers=4.1", "hard"], ["nconnect=4"]],
    )
    quotas: bool = Field(
        default=False,
        description="Whether the server keeps quotas; only then may courses promise one.",
        examples=[True, False],
    )


class PerPerson(Section):
    """What one person may have at the same time."""

    servers: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="Servers of one person.", examples=[2, 1]
    )
    gpu: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="Servers with a GPU of one person.", examples=[1, 2]
    )


class Largest(Section):
    """The most that one server may have."""

    cpu: Cores | None = Field(default=None, description="Cores of a server.", examples=[4, 8])
    memory: Bytes | None = Field(
        default=None, description="Memory of a server.", examples=["8Gi", "32Gi"]
    )
    share: Share | None = Field(
        default=None, description="Part of a card of a server.", examples=["1/2", "1/4"]
    )
    cards: Annotated[int, Field(ge=0, le=64)] | None = Field(
        default=None, description="Whole cards of a server.", examples=[1, 2]
    )
    hours: Hours | None = Field(
        default=None,
        description="Hours that a server may run, whether or not its profile says `longest`.",
        examples=[12, 8],
    )


class LimitsFile(Section):
    """Limits of the campus."""

    per_person: PerPerson = Field(
        default=PerPerson(),
        description="What one person may have at the same time.",
        examples=[{"servers": 2}, {"servers": 3, "gpu": 1}],
    )
    largest: Largest = Field(
        default=Largest(),
        description="The most that one server may have.",
        examples=[{"cpu": 4, "memory": "8Gi"}, {"cpu": 8, "memory": "32Gi", "share": "1/2"}],
    )


class Lmstat(Section):
    """A FlexNet license server that is asked with lmstat."""

    server: Annotated[str, AfterValidator(addresses.license_server)] = Field(
        description="Port and host of the license server.",
        examples=["27000@license.example.edu", "1055@10.0.0.7"],
    )
    feature: Annotated[str, AfterValidator(addresses.feature)] = Field(
        description="Feature as the server names it.", examples=["MATLAB", "Signal_Toolbox"]
    )


class Prometheus(Section):
    """An exporter that knows how many licenses are in use."""

    url: Annotated[str, AfterValidator(addresses.url)] = Field(
        description="Address of the exporter's metrics.",
        examples=["http://127.0.0.1:9319/metrics", "https://metrics.example.edu/flexlm"],
    )
    feature: Annotated[str, AfterValidator(addresses.feature)] = Field(
        description="Feature as the exporter names it.", examples=["MATLAB", "Simulink"]
    )


class Reserve(Section):
    """Licenses that are kept for somebody."""

    staff: Amount = Field(default=0, description="Kept for staff.", examples=[2, 5])
    outside: Amount = Field(
        default=0, description="Kept for use outside Lectern.", examples=[10, 20]
    )
    courses: dict[Id, Amount] = Field(
        default_factory=dict,
        description="Kept for a course.",
        examples=[{"ml-101": 10}, {"ml-101": 5}],
    )


class License(Section):
    """Licenses of one product; exactly one of count, lmstat, prometheus and unlimited."""

    title: TextLike | None = Field(
        default=None,
        description="What people read for the product.",
        examples=["MATLAB", {"en": "Simulink", "zh": "Simulink 仿真"}],
    )
    count: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="A fixed number of licenses.", examples=[50, 25]
    )
    lmstat: Lmstat | None = Field(
        default=None,
        description="A FlexNet license server.",
        examples=[
            {"server": "27000@license.example.edu", "feature": "MATLAB"},
            {"server": "1055@10.0.0.7", "feature": "SIMULINK"},
        ],
    )
    prometheus: Prometheus | None = Field(
        default=None,
        description="An exporter that counts.",
        examples=[
            {"url": "http://127.0.0.1:9319/metrics", "feature": "MATLAB"},
            {"url": "https://metrics.example.edu/flexlm", "feature": "MATLAB"},
        ],
    )
    unlimited: bool = Field(
        default=False,
        description="Whether the license is for the whole campus, and not counted.",
        examples=[True, False],
    )
    reserve: Reserve = Field(
        default=Reserve(),
        description="Licenses that are kept for somebody.",
        examples=[{"staff": 2}, {"outside": 10, "courses": {"ml-101": 10}}],
    )


class Editors(Section):
    """Who may edit which courses, and what those courses may use."""

    people: NamesOrGroup = Field(
        description="Who may edit.", examples=[["chen"], {"group": "staff/ml-101"}]
    )
    courses: Annotated[Many[Id], Filled] = Field(
        description="Courses that they may edit.", examples=[["ml-101"], ["ml-101", "py-100"]]
    )
    images: Many[Id] | None = Field(
        default=None,
        description="Images that these courses may use; all if not set.",
        examples=[["datascience"], ["datascience", "gpu-pytorch"]],
    )
    gpu_pools: Many[Id] | None = Field(
        default=None,
        description="GPU pools that these courses may use; all if not set.",
        examples=[["lab"], []],
    )
    largest: Largest = Field(
        default=Largest(),
        description="The most that one server of these courses may have.",
        examples=[{"cpu": 2, "memory": "4Gi"}, {"cpu": 4, "memory": "8Gi", "share": "1/4"}],
    )


class CampusFile(Section):
    """`campus.yaml`: what courses refer to."""

    languages: Annotated[Many[LanguageName], Filled] = Field(
        description="Languages of pages; the first is used where a text has no translation.",
        examples=[["en", "zh"], ["zh", "en"]],
    )
    images: Annotated[dict[Id, ImageFile], Filled] = Field(
        description="Images that profiles may name.",
        examples=[{"datascience": {"title": "Data science", "ref": "lectern/datascience:1"}}],
    )
    gpu_pools: dict[Id, Pool] = Field(
        default_factory=dict,
        description="Sets of equal GPU nodes, and what cuts their cards.",
        examples=[
            {
                "lab": {
                    "backend": "hami",
                    "cards": {"model": "Tesla-T4", "memory": "15360Mi", "nodes": 4},
                }
            }
        ],
    )
    storage: dict[Id, StorageFile] = Field(
        default_factory=dict,
        description="Places for homes and data.",
        examples=[{"teaching": {"path": "data"}}, {"nas": {"nfs": "nas.example.edu:/export"}}],
    )
    groups: dict[GroupName, Many[Person]] = Field(
        default_factory=dict,
        description="Groups of people that courses may name.",
        examples=[{"staff/ml-101": ["zhao"]}, {"staff/ml-101": ["zhao", "carol"]}],
    )
    limits: LimitsFile = Field(
        default=LimitsFile(),
        description="Limits of the campus.",
        examples=[{"per_person": {"servers": 2}}, {"largest": {"cpu": 4}}],
    )
    calendars: dict[Id, Calendar] = Field(
        default_factory=dict,
        description="Calendars that timetables refer to.",
        examples=[{"main": {"timezone": "Asia/Shanghai"}}, {"main": {"timezone": "Europe/Berlin"}}],
    )
    licenses: dict[Id, License] = Field(
        default_factory=dict,
        description="Network licenses that profiles may need.",
        examples=[{"matlab": {"count": 50}}, {"matlab": {"unlimited": True}}],
    )
    editors: Many[Editors] = Field(
        default=(),
        description="Who may edit which courses, and what those courses may use.",
        examples=[[{"people": ["chen"], "courses": ["ml-101"]}]],
    )
