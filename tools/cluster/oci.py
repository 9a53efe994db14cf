"""Write container images as OCI archives, with plain Python and the same bytes every time.

Source: the OCI image layout and image specifications, version 1.1.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Entry:
    """A file, link or folder in a layer; it belongs to root."""

    path: str
    content: bytes | None = None
    """None for folders and links."""

    link: str | None = None
    mode: int = 0o755

    def header(self) -> tarfile.TarInfo:
        """Return the tar header, without times or names of this machine."""
        header = tarfile.TarInfo(self.path.strip("/"))
        header.mode = self.mode
        if self.link is not None:
            header.type, header.linkname = tarfile.SYMTYPE, self.link
        elif self.content is None:
            header.type = tarfile.DIRTYPE
        else:
            header.size = len(self.content)
        return header


@dataclass(frozen=True)
class Image:
    """An image of one layer."""

    name: str
    """Whole name with tag, such as ``lectern.test/pause:1``."""

    entries: Iterable[Entry]
    config: dict[str, Any] = field(default_factory=dict)
    """Keys of the image's ``config``: Entrypoint, Cmd, Env, User, WorkingDir."""


def write(image: Image, path: Path) -> None:
    """Write an archive that containerd, skopeo and podman take."""
    layer = _layer(image.entries)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": image.config,
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config),
            "layers": [_descriptor(_LAYER, layer)],
        }
    )
    names = {
        "io.containerd.image.name": image.name,
        "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
    }
    entry = _descriptor(_MANIFEST, manifest) | {"annotations": names}
    index = _json({"schemaVersion": 2, "manifests": [entry]})
    files = [Entry("oci-layout", _LAYOUT, mode=0o644), Entry("index.json", index, mode=0o644)]
    files += [_blob(content) for content in (layer, config, manifest)]
    half_done = path.with_name(f"{path.name}.half")
    half_done.write_bytes(_layer(files))
    half_done.replace(path)


def _layer(entries: Iterable[Entry]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry in entries:
            tar.addfile(entry.header(), io.BytesIO(entry.content or b""))
    return buffer.getvalue()


def _blob(content: bytes) -> Entry:
    return Entry(f"blobs/sha256/{_digest(content).removeprefix('sha256:')}", content, mode=0o644)


def _descriptor(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
