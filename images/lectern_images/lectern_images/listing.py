"""`images.yaml`: the one list of images that are built here.

Goes through the same reader and diagnostics as the catalog.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from lectern_spawner.catalog import CatalogError, Diagnostic, units
from lectern_spawner.catalog.diagnostics import suggest
from lectern_spawner.catalog.messages import at_key, at_value, fault
from lectern_spawner.catalog.reading import Many, Section, read_model
from lectern_spawner.catalog.sections.campus import CAPABILITIES
from lectern_spawner.catalog.sections.fields import Id, TextLike, choice
from lectern_spawner.catalog.source import Source, Where

LIST_FILE = "images.yaml"
DEBIAN = "debian:12"
TESTS = ("jupyter", "desktop", "octave", "vscode", "hub", "proxy")
_SIZES = {"MB": 10**6, "GB": 10**9}


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
    apt: Many[str] = Field(
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
    apt: Many[str] = Field((), description="Debian packages.", examples=[["git", "tini"]])
    server: Many[str] = Field(
        (),
        description="Python packages of the server, apart from those of notebooks.",
        examples=[["jupyterlab", "jupyterhub"]],
    )
    python: Many[str] = Field(
        (), description="Python packages that notebooks import.", examples=[["numpy", "pandas"]]
    )
    node: Many[str] = Field(
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
    env: Mapping[str, str] = Field(
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


@dataclass(frozen=True, slots=True)
class ImageList:
    """A checked list."""

    folder: Path
    file: ListFile
    order: tuple[str, ...]
    """Names, each after the image that it is made from."""

    @property
    def context(self) -> Path:
        """Where the files of images are taken from."""
        return (self.folder / self.file.context).resolve()

    def reference(self, name: str) -> str:
        """Return an image's whole name with its tag."""
        return f"{self.file.registry}/{name}:{self.file.tag}"

    def line(self, name: str) -> tuple[str, ...]:
        """Return an image's name after those of the images that it is made from."""
        base = self.file.images[name].base
        return (*(self.line(base) if base in self.file.images else ()), name)

    def all_of(self, name: str, key: str) -> tuple[str, ...]:
        """Return a list that images inherit, the base's items first."""
        items = [
            item for image in self.line(name) for item in getattr(self.file.images[image], key)
        ]
        return tuple(dict.fromkeys(items))

    def last_of(self, name: str, key: str) -> tuple[str, ...]:
        """Return a list that an image takes over from its base unless it has its own."""
        for image in reversed(self.line(name)):
            if found := getattr(self.file.images[image], key):
                return tuple(found)
        return ()

    def environment(self, name: str) -> dict[str, str]:
        """Return an image's variables with those of its bases."""
        rows = (self.file.images[image].env for image in self.line(name))
        return {key: value for row in rows for key, value in row.items()}


def load(folder: Path) -> ImageList:
    """Read a list.

    Args:
        folder: where images.yaml lies.

    Raises:
        CatalogError: with every problem of the file at its place.
    """
    parsed = read_model(folder / LIST_FILE, ListFile)
    found = list(parsed.diagnostics)
    if parsed.model:
        found += _problems(parsed.model, parsed.source, folder)
    if parsed.model is None or any(item.is_error for item in found):
        raise CatalogError(tuple(found))
    return ImageList(folder, parsed.model, tuple(_sorter(parsed.model).static_order()))


def _sorter(file: ListFile) -> TopologicalSorter[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, image in file.images.items():
        sorter.add(name, *([image.base] if image.base in file.images else []))
    return sorter


def _problems(file: ListFile, source: Source, folder: Path) -> Iterator[Diagnostic]:
    """Yield what the shape alone cannot tell."""
    for name, image in file.images.items():
        where: Where = ("images", name)
        if not _is_base(image.base, file):
            yield _unknown(source, (*where, "from"), image.base, [DEBIAN, *file.images])
        if image.successor and image.successor not in file.images:
            yield _unknown(source, (*where, "successor"), image.successor, file.images)
        for at, path in _named_files(image):
            if not (folder / file.context / path).exists():
                yield at_value(source, (*where, *at), "LEC109", f"there is no `{path}`")
    try:
        _sorter(file).prepare()
    except CycleError as error:
        names = error.args[1]
        words = "an image is made from itself: " + " -> ".join(reversed(names))
        yield at_key(source, ("images", names[0]), "LEC109", words)


def _named_files(image: ImageFile) -> Iterator[tuple[Where, str]]:
    """Yield the files and folders of the context that an image names, and where it does."""
    for number, copied in enumerate(image.files):
        yield ("files", number, "from"), copied.source
    if image.script:
        yield ("script", "file"), image.script.file


def _unknown(source: Source, where: Where, wrong: str, known: Iterable[str]) -> Diagnostic:
    words = f"unknown image `{wrong}`"
    label = f"neither in this list nor `{DEBIAN}` nor an image by digest"
    return at_value(source, where, "LEC301", words, label=label, help=suggest(wrong, known))


def _is_base(name: str, file: ListFile) -> bool:
    return name in (DEBIAN, *file.images) or ("@sha256:" in name and _is_reference(name))


def _is_reference(name: str) -> bool:
    try:
        units.image_reference(name)
    except ValueError:
        return False
    return True
