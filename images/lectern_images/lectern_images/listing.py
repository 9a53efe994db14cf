"""`images.yaml`: the one list of images that are built here.

Goes through the same reader and diagnostics as the catalog.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from lectern_images.model import DEBIAN, ImageFile, ListFile
from lectern_spawner.catalog import CatalogError, Diagnostic, units
from lectern_spawner.catalog.diagnostics import suggest
from lectern_spawner.catalog.messages import at_key, at_value
from lectern_spawner.catalog.reading import read_model
from lectern_spawner.catalog.source import Source, Where

LIST_FILE = "images.yaml"


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
    if file.constraints and not (folder / file.constraints).is_file():
        yield at_value(source, ("constraints",), "LEC109", f"there is no `{file.constraints}`")
    for name, image in file.images.items():
        where: Where = ("images", name)
        if not _is_base(image.base, file):
            yield _unknown(source, (*where, "from"), image.base, [DEBIAN, *file.images])
        yield from _of_successor(file, source, name)
        for at, path in _named_files(image):
            if why := _misplaced(folder / file.context, path):
                yield at_value(source, (*where, *at), "LEC109", why)
        for number, copied in enumerate(image.files):
            if not copied.target.startswith("/") or ".." in copied.target.split("/"):
                at = ("files", number, "to")
                words = "must be a folder of the image, such as `/opt/site`"
                yield at_value(source, (*where, *at), "LEC109", words)
    try:
        _sorter(file).prepare()
    except CycleError as error:
        names = error.args[1]
        words = "an image is made from itself: " + " -> ".join(reversed(names))
        yield at_key(source, ("images", names[0]), "LEC109", words)


def _of_successor(file: ListFile, source: Source, name: str) -> Iterator[Diagnostic]:
    image = file.images[name]
    where: Where = ("images", name, "successor")
    if image.successor is None:
        return
    if image.successor not in file.images:
        yield _unknown(source, where, image.successor, file.images, what="not in this list")
    elif image.successor == name:
        yield at_value(source, where, "LEC109", "an image cannot come after itself")
    elif image.status != "deprecated":
        words = "only a deprecated image has a successor"
        yield at_value(source, where, "LEC109", words, help="add `status: deprecated`")


def _named_files(image: ImageFile) -> Iterator[tuple[Where, str]]:
    """Yield the files and folders of the context that an image names, and where it does."""
    for number, copied in enumerate(image.files):
        yield ("files", number, "from"), copied.source
    for number, built in enumerate(image.wheels):
        yield ("wheels", number, "project"), built.project
        yield ("wheels", number, "lock"), built.lock
    if image.script:
        yield ("script", "file"), image.script.file


def _misplaced(context: Path, path: str) -> str | None:
    """Return why an image cannot have a file of the context; None where it can.

    Other engines see nothing else, and what lies elsewhere on this machine is nobody's business.
    """
    if not (context / path).resolve().is_relative_to(context.resolve()):
        return f"`{path}` does not lie in the context"
    return None if (context / path).exists() else f"there is no `{path}`"


def _unknown(
    source: Source,
    where: Where,
    wrong: str,
    known: Iterable[str],
    what: str = f"neither in this list nor `{DEBIAN}` nor an image by digest",
) -> Diagnostic:
    words = f"unknown image `{wrong}`"
    return at_value(source, where, "LEC301", words, label=what, help=suggest(wrong, known))


def _is_base(name: str, file: ListFile) -> bool:
    return name in (DEBIAN, *file.images) or ("@sha256:" in name and _is_reference(name))


def _is_reference(name: str) -> bool:
    try:
        units.image_reference(name)
    except ValueError:
        return False
    return True
