"""Images as OCI layouts and archives, with plain Python and the same bytes every time.

Sources: the OCI image specification 1.1, "Image Layout", "Image Manifest" and "Image
Configuration".
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lectern_images.tree import EPOCH

_LAYOUT = {"imageLayoutVersion": "1.0.0"}
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_NAME = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME = "io.containerd.image.name"


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer's file."""

    path: Path
    digest: str
    size: int
    diff_id: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image that can be written."""

    reference: str
    """Whole name with its tag."""

    layers: tuple[Blob, ...]
    config: Mapping[str, Any]
    """Keys of the image's ``config``: Entrypoint, Cmd, Env, User, WorkingDir, Labels."""

    history: tuple[str, ...]
    """What made each layer."""

    def configuration(self) -> bytes:
        """Return the image's configuration as it is stored."""
        created = datetime.fromtimestamp(EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return _json(
            {
                "created": created,
                "architecture": "amd64",
                "os": "linux",
                "config": self.config,
                "rootfs": {"type": "layers", "diff_ids": [row.diff_id for row in self.layers]},
                "history": [{"created": created, "created_by": text} for text in self.history],
            }
        )

    def manifest(self) -> bytes:
        """Return the image's manifest as it is stored; its digest is the image's."""
        return _json(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": _described(_CONFIG, self.configuration()),
                "layers": [
                    {"mediaType": _LAYER, "digest": row.digest, "size": row.size}
                    for row in self.layers
                ],
            }
        )

    @property
    def digest(self) -> str:
        """The image's digest."""
        return digest(self.manifest())


def digest(content: bytes) -> str:
    """Return the digest of something that is stored."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def write_layout(images: Iterable[Image], folder: Path) -> None:
    """Write images into one OCI layout; layers that they share are there once.

    An image of the same name is replaced; others that the layout holds stay.
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    rows = {row["annotations"][_NAME]: row for row in _read_index(folder)["manifests"]}
    for image in images:
        for layer in image.layers:
            _place(layer.path, blobs / layer.digest.removeprefix("sha256:"))
        for content in (image.configuration(), image.manifest()):
            (blobs / digest(content).removeprefix("sha256:")).write_bytes(content)
        rows[image.reference] = _row(image)
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX,
        "manifests": [rows[key] for key in sorted(rows)],
    }
    (folder / "oci-layout").write_bytes(_json(_LAYOUT))
    (folder / "index.json").write_bytes(_json(index))


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "index.json").read_text())
    except FileNotFoundError:
        return {"manifests": []}
    return found


def _place(source: Path, target: Path) -> None:
    """Let a file be at a second place, without a copy where that can be."""
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write_archive(
    images: Iterable[Image], target: Path, known: Collection[str] = frozenset()
) -> None:
    """Write images as one archive that containerd, skopeo, podman and docker load take.

    Args:
        images: what goes in.
        target: the file to write.
        known: digests of layers that whoever reads it has already; containerd alone
            takes an archive without them.
    """
    images = list(images)
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [_row(row) for row in images]}
    texts = {"oci-layout": _json(_LAYOUT), "index.json": _json(index)}
    files: dict[str, Path] = {}
    for image in images:
        for content in (image.configuration(), image.manifest()):
            texts[_blob(digest(content))] = content
        files |= {
            _blob(layer.digest): layer.path for layer in image.layers if layer.digest not in known
        }
    with (
        _whole(target) as partial,
        tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted({*texts, *files}):
            header = tarfile.TarInfo(name)
            header.mode, header.mtime = 0o644, EPOCH
            if name in texts:
                header.size = len(texts[name])
                archive.addfile(header, io.BytesIO(texts[name]))
            else:
                header.size = files[name].stat().st_size
                with files[name].open("rb") as content_file:
                    archive.addfile(header, content_file)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Let a file have its name only once it is complete."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _blob(name: str) -> str:
    return f"blobs/{name.replace(':', '/')}"


def _row(image: Image) -> dict[str, Any]:
    names = {_CONTAINERD_NAME: image.reference, _NAME: image.reference}
    return {**_described(_MANIFEST, image.manifest()), "annotations": names}


def _described(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest(content), "size": len(content)}


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
