"""The shape of `images.yaml`: what may stand in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from lectern_spawner.catalog.messages import fault
from lectern_spawner.catalog.reading import Many, Section
from lectern_spawner.catalog.sections.campus import CAPABILITIES
from lectern_spawner.catalog.sections.fields import Id, TextLike, choice

DEBIAN = "debian:12"
TESTS = ("jupyter", "desktop", "octave", "vscode", "hub", "proxy")
_SIZES = {"MB": 10**6, "GB": 10**9}


_APT = re.compile(r"[a-z0-9][a-z0-9+.-]+(=[^\s]+)?")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][^\n]*")
_NODE = re.compile(r"(@[a-z0-9._-]+/)?[a-z0-9._-]+@[0-9][^\s]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _like(pattern: re.Pattern[str], what: str) -> AfterValidator:
    """Return a check that a text is what a program is about to be handed, and no option of it."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise fault("LEC109", f"must be {what}", got=value)
        return value

    return AfterValidator(check)


_DebianPackage = Annotated[str, _like(_APT, "the name of a Debian package such as `git`")]
_Requirement = Annotated[str, _like(_REQUIREMENT, "a Python package such as `numpy` or `numpy<3`")]
_NodePackage = Annotated[
    str, _like(_NODE, "a package of npm with its version such as `configurable-http-proxy@5.3.0`")
]
_Variable = Annotated[str, _like(_VARIABLE, "the name of a variable such as `LANG`")]


def _size(value: str) -> str:
    """Accept ``650 MB`` and ``1.6 GB``.

    Raises:
        PydanticCustomError: for anything else.
    """
    number, _, unit = value.partition(" ")
    if unit not in _SIZES or not number.replace(".", "", 1).isdigit():
        raise fault("LEC109", "must be a size such as `650 MB` or `1.6 GB`", got=value)
    return value


def size_bytes(text: str) -> int:
    """Return a size in bytes; units are decimal, as disks and registries count."""
    number, _, unit = text.partition(" ")
    return int(float(number) * _SIZES[unit])


class Copied(Section):
    """Files of ours that go into an image, readable by everybody and root's."""

    source: str = Field(
        alias="from",
        description="File or folder, seen from the context.",
        examples=["images/base/files", "images/lectern_lab/lectern_lab"],
    )
    target: str = Field(
        alias="to",
        description="Folder that they, or what is in the folder, go into.",
        examples=["/", "/opt/site"],
    )


class Project(Section):
    """A Python project of ours that is built inside the image."""

    project: str = Field(description="Its folder, seen from the context.", examples=["."])
    files: Many[str] = Field(
        description="What the build may see of it.", examples=[["setup.cfg", "hub", "spawner"]]
    )
    lock: str = Field(
        description="Lock file of what the build needs, seen from the context.",
        examples=["requirements/bootstrap.txt"],
    )


class Script(Section):
    """A script of ours that runs as root, with the network, once all else is in the image."""

    file: str = Field(
        description="A script for `sh`, seen from the context.",
        examples=["images/vscode/install.sh"],
    )
    apt: Many[_DebianPackage] = Field(
        (),
        description="Debian packages that it needs, and that are removed after it.",
        examples=[["g++", "make"]],
    )


class ImageFile(Section):
    """One image."""

    title: TextLike = Field(
        description="What people read for it.", examples=[{"en": "Data science", "zh": "数据科学"}]
    )
    base: str = Field(
        alias="from",
        description=f"`{DEBIAN}`, another image of this list, or one of a registry by digest.",
        examples=["base", f"{DEBIAN}"],
    )
    apt: Many[_DebianPackage] = Field(
        (), description="Debian packages.", examples=[["git", "tini"]]
    )
    server: Many[_Requirement] = Field(
        (),
        description="Python packages of the server, apart from those of notebooks.",
        examples=[["jupyterlab", "jupyterhub"]],
    )
    python: Many[_Requirement] = Field(
        (), description="Python packages that notebooks import.", examples=[["numpy", "pandas"]]
    )
    node: Many[_NodePackage] = Field(
        (), description="Packages of npm.", examples=[["configurable-http-proxy@5.3.0"]]
    )
    wheels: Many[Project] = Field(
        (),
        description="Python projects that are built and installed for the server.",
        examples=[[{"project": ".", "files": ["setup.cfg", "hub"], "lock": "build.txt"}]],
    )
    files: Many[Copied] = Field(
        (), description="Our own files.", examples=[[{"from": "images/base/files", "to": "/"}]]
    )
    script: Script | None = Field(
        None,
        description="What no other key can say.",
        examples=[{"file": "images/vscode/install.sh", "apt": ["g++", "make"]}],
    )
    env: Mapping[_Variable, str] = Field(
        default_factory=dict,
        description="Variables of everything that runs in it.",
        examples=[{"LANG": "C.UTF-8"}],
    )
    entrypoint: Many[str] = Field(
        (), description="What starts first; the base's if not set.", examples=[["tini", "--"]]
    )
    command: Many[str] = Field(
        (), description="What runs by default; the base's if not set.", examples=[["bash"]]
    )
    capabilities: Many[Annotated[str, *choice(*CAPABILITIES)]] = Field(
        (),
        description="What it can do beside JupyterLab, and its base cannot.",
        examples=[["desktop", "octave"]],
    )
    size: Annotated[str, AfterValidator(_size)] = Field(
        description="The most that it may hold, unpacked.", examples=["650 MB", "1.6 GB"]
    )
    tests: Many[Annotated[str, *choice(*TESTS)]] = Field(
        (), description="Contracts that it must keep, beside its base's.", examples=[["jupyter"]]
    )
    offered: bool = Field(
        default=True, description="Whether profiles may name it.", examples=[False]
    )
    status: Annotated[str, *choice("active", "deprecated")] = Field(
        "active", description="Whether new courses should use it.", examples=["deprecated"]
    )
    successor: Id | None = Field(
        None, description="Image to use instead of a deprecated one.", examples=["datascience"]
    )


class ListFile(Section):
    """The whole of images.yaml."""

    registry: str = Field(
        description="What comes before the images' names.", examples=["lectern", "lab.example/ai"]
    )
    tag: str = Field(description="The tag of all of them.", examples=["1", "2026.11"])
    context: str = Field(
        "..", description="Folder that files are taken from, seen from this one.", examples=[".."]
    )
    constraints: str | None = Field(
        None,
        description="Lock file of the hub, seen from this one: common packages get its versions.",
        examples=["../requirements/run.txt"],
    )
    images: dict[Id, ImageFile] = Field(description="The images by name.")
