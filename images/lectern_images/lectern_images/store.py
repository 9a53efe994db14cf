"""Layers that were built on this machine, kept under a name made from what they are made of.

A layer is a folder: ``tree`` as an overlay wants it, ``layer.tar.gz`` as an image wants
it, and ``layer.json``, which is written last. Root's alone: what is in the trees belongs
to the images' root.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from lectern_images import tree
from lectern_images.errors import ImageError

_KEY_LENGTH = 20
_KEPT_SECONDS = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Built:
    """A layer that is there."""

    key: str
    folder: Path
    packed: tree.Packed

    @property
    def place(self) -> str:
        """Its tree as an overlay's options name it: seen from the store."""
        return f"layers/{self.key}/tree"

    @property
    def file(self) -> Path:
        """The compressed layer."""
        return self.folder / "layer.tar.gz"

    @property
    def tree(self) -> Path:
        """The same as a folder of an overlay."""
        return self.folder / "tree"


def default_folder() -> Path:
    """Return where layers are kept."""
    parent = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(parent) / "lectern" / "images"


def key_of(*parts: str) -> str:
    """Return a name for what is made from some texts."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_KEY_LENGTH]


def digest_of(path: Path) -> str:
    """Return a digest of a file, or of all that is in a folder, whatever its owner or umask."""
    hashed = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(_files(path)):
        is_program = bool(file.lstat().st_mode & 0o100)
        name = "" if file == path else str(file.relative_to(path))
        content = os.readlink(file).encode() if file.is_symlink() else file.read_bytes()
        hashed.update(json.dumps([name, is_program, file.is_symlink(), len(content)]).encode())
        hashed.update(content)
    return hashed.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (Path(parent, name) for name in names)
        yield from (Path(parent, name) for name in folders if Path(parent, name).is_symlink())


class Store:
    """All layers of this machine."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, making it where it is missing.

        Raises:
            ImageError: when it cannot be made.
        """
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in ("layers", "wheels", "debs"):
                (folder / name).mkdir(exist_ok=True)
        except OSError as error:
            raise ImageError(
                f"{folder} cannot be made ({error.strerror}): set XDG_CACHE_HOME"
            ) from None

    def find(self, key: str) -> Built | None:
        """Return a layer, None when it has not been built."""
        folder = self.folder / "layers" / key
        try:
            about = json.loads((folder / "layer.json").read_text())
        except FileNotFoundError:
            return None
        os.utime(folder)  # so that what is in use is known from what is not
        return Built(key, folder, tree.Packed(**about))

    def add(self, key: str, make: Callable[[Path], Path]) -> Built:
        """Build a layer.

        Args:
            key: its name.
            make: is given an empty folder below the store and returns the one with the changes.
        """
        with self.work() as work:
            made = make(work)
            done = work / "done"
            done.mkdir()
            made.rename(done / "tree")
            packed = tree.pack(done / "tree", done / "layer.tar.gz")
            (done / "layer.json").write_text(json.dumps(asdict(packed)))
            target = self.folder / "layers" / key
            shutil.rmtree(target, ignore_errors=True)
            done.rename(target)
        return Built(key, target, packed)

    @contextmanager
    def work(self) -> Iterator[Path]:
        """Give an empty folder for as long as something is built."""
        path = Path(tempfile.mkdtemp(prefix="work-", dir=self.folder))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def alone(self, say: Callable[[str], None]) -> Iterator[None]:
        """Be the only one that builds; others wait."""
        with (self.folder / "busy").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Somebody else builds images on this machine; waiting")
                fcntl.flock(file, fcntl.LOCK_EX)
            for left in self.folder.glob("work-*"):  # of a build that was killed
                shutil.rmtree(left, ignore_errors=True)
            yield
            self._forget()

    def _forget(self) -> None:
        """Remove the layers that no image has been made of for a month."""
        oldest = time.time() - _KEPT_SECONDS
        for folder in (self.folder / "layers").iterdir():
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
