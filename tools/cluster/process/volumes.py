"""A pod's volumes: folders of this machine, filled before the first container starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from cluster.process.environment import (
    Facts,
    MissingError,
    Source,
    data_of,
    expand,
    field_value,
    resource_value,
)
from cluster.process.objects import Objects
from cluster.process.sandbox import Mount, real_target

_MEMORY = Path("/dev/shm")
_MODE = 0o644
_TOKEN_SECONDS = 3600
_BOTH = {"configMap": "configmaps", "secret": "secrets"}


class UnsupportedError(Exception):
    """A volume that a process node cannot show."""


@dataclass(slots=True, frozen=True)
class Volume:
    """A volume that is ready."""

    path: Path
    is_readonly: bool = False


@dataclass(slots=True, frozen=True)
class File:
    """A file to be written into a volume."""

    path: str
    content: bytes
    mode: int


@dataclass(slots=True)
class Volumes:
    """The volumes of one pod."""

    facts: Facts
    folder: Path
    objects: Objects
    outside: list[Path] = field(default_factory=list)
    """What lies elsewhere and goes with the pod."""

    async def prepare(self) -> dict[str, Volume]:
        """Return all volumes by their names.

        Raises:
            MissingError: when something is not there that may come yet.
            UnsupportedError: when a claim leads to another kind of volume.
        """
        rows = self.facts.pod.spec.get("volumes", [])
        return {row["name"]: await self._prepare(row) for row in rows}

    async def _prepare(self, row: Mapping[str, Any]) -> Volume:
        if "emptyDir" in row:
            return self._empty(row["name"], row["emptyDir"])
        if "hostPath" in row:
            return Volume(host_path(row["hostPath"]))
        if "persistentVolumeClaim" in row:
            return await self._claim(row["persistentVolumeClaim"])
        files = [file async for file in self._files(row)]
        folder = self.folder / row["name"]
        shutil.rmtree(folder, ignore_errors=True)
        write(folder, files, self.group)
        return Volume(folder, is_readonly=True)

    @property
    def group(self) -> int | None:
        """The group that shall be able to use the volumes."""
        group: int | None = self.facts.pod.spec.get("securityContext", {}).get("fsGroup")
        return group

    def _empty(self, name: str, spec: Mapping[str, Any]) -> Volume:
        folder = self.folder / name
        if spec.get("medium") == "Memory":
            folder = _MEMORY / f"lectern-{self.facts.pod.uid}-{name}"
            self.outside.append(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if self.group is not None:
            os.chown(folder, -1, self.group)
        folder.chmod(0o777 if self.group is None else 0o2777)
        return Volume(folder)

    async def _claim(self, reference: Mapping[str, Any]) -> Volume:
        spec = await self.objects.volume_of(self.facts.pod.namespace, reference["claimName"])
        is_readonly = bool(reference.get("readOnly"))
        if "hostPath" in spec:
            return Volume(host_path(spec["hostPath"]), is_readonly)
        if "local" in spec:
            path = Path(spec["local"]["path"])
            if not path.exists():
                raise MissingError(f"local volume {path} is not there")
            return Volume(path, is_readonly)
        kinds = {
            "capacity",
            "accessModes",
            "claimRef",
            "volumeMode",
            "storageClassName",
            "nodeAffinity",
        }
        kind = next(
            (key for key, value in spec.items() if isinstance(value, dict) and key not in kinds),
            "?",
        )
        raise UnsupportedError(
            f"claim {reference['claimName']} is bound to a volume of kind {kind}; "
            "a process node has hostPath and local ones"
        )

    async def _files(self, row: Mapping[str, Any]) -> AsyncIterator[File]:
        if "projected" in row:
            mode = row["projected"].get("defaultMode", _MODE)
            for source in row["projected"].get("sources", []):
                for kind, spec in source.items():
                    for file in await self._projected(kind, spec, mode):
                        yield file
            return
        kind = next(key for key in row if key != "name")
        for file in await self._projected(kind, row[kind], row[kind].get("defaultMode", _MODE)):
            yield file

    async def _projected(self, kind: str, spec: Mapping[str, Any], mode: int) -> list[File]:
        if kind == "serviceAccountToken":
            seconds = spec.get("expirationSeconds", _TOKEN_SECONDS)
            token = await self.objects.token(self.facts.pod, spec.get("audience", ""), seconds)
            return [File(spec["path"], token.encode(), mode)]
        if kind == "downwardAPI":
            return list(downward_files(spec, self.facts, mode))
        name = spec.get("secretName") or spec.get("name") or ""
        source: Source = (_BOTH[kind], name)
        found = await self.objects.sources(self.facts.pod.namespace, [source])
        return list(object_files(source, found[source], spec, mode))


def downward_files(spec: Mapping[str, Any], facts: Facts, mode: int) -> Iterator[File]:
    """Yield the files of the downward API."""
    for item in spec.get("items", []):
        if "fieldRef" in item:
            text = field_value(item["fieldRef"]["fieldPath"], facts)
        else:
            text = resource_value(item["resourceFieldRef"], {}, facts)
        yield File(item["path"], text.encode(), item.get("mode", mode))


def object_files(
    source: Source, content: Mapping[str, Any] | None, spec: Mapping[str, Any], mode: int
) -> Iterator[File]:
    """Yield the files of a ConfigMap or Secret: all its keys, or those that are named.

    Raises:
        MissingError: when it or a key is not there and not optional.
    """
    kind, name = source
    if content is None and not spec.get("optional"):
        raise MissingError(f'{kind[:-1]} "{name}" not found')
    data = data_of(kind, content or {})
    if "items" not in spec:
        for key, value in data.items():
            yield File(key, value, mode)
        return
    for item in spec["items"]:
        if item["key"] in data:
            yield File(item["path"], data[item["key"]], item.get("mode", mode))
        elif not spec.get("optional"):
            raise MissingError(f"{kind[:-1]} {name} has no key {item['key']}")


def write(folder: Path, files: list[File], group: int | None) -> None:
    """Write a volume that containers only read."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        if group is not None:
            os.chown(path, -1, group)
        path.chmod(file.mode if group is None else file.mode | 0o440)


def host_path(spec: Mapping[str, Any]) -> Path:
    """Return a path of this machine, made when its type says so.

    Raises:
        MissingError: when it is not what its type says.
    """
    path, kind = Path(spec["path"]), spec.get("type", "")
    if kind in ("", "DirectoryOrCreate") and not path.exists():
        path.mkdir(parents=True, mode=0o755)
    if kind == "FileOrCreate" and not path.exists():
        path.touch(0o644)
    if kind.startswith("Directory") and not path.is_dir():
        raise MissingError(f"hostPath {path} is not a directory")
    if kind.startswith("File") and not path.is_file():
        raise MissingError(f"hostPath {path} is not a file")
    return path


def mounts(
    container: Mapping[str, Any], volumes: Mapping[str, Volume], variables: Mapping[str, str]
) -> Iterator[Mount]:
    """Yield what a container sees of its pod's volumes.

    Raises:
        MissingError: when a part of a volume is not there or leads out of it.
    """
    for row in container.get("volumeMounts", []):
        volume = volumes[row["name"]]
        part = row.get("subPath") or expand(row.get("subPathExpr", ""), variables)
        path = _part(volume, part) if part else volume.path
        readonly = bool(row.get("readOnly")) or volume.is_readonly
        yield Mount(str(path), real_target(row["mountPath"]), readonly)


def _part(volume: Volume, part: str) -> Path:
    """Return a file or folder of a volume; a missing folder is made, as a kubelet does."""
    path = volume.path / part
    whole = volume.path.resolve()
    if PurePosixPath(part).is_absolute() or ".." in PurePosixPath(part).parts:
        raise MissingError(f"subPath {part} must stay within its volume")
    if not path.resolve().is_relative_to(whole):
        raise MissingError(f"subPath {part} leads out of its volume")
    if not path.exists():
        if volume.is_readonly:
            raise MissingError(f"subPath {part} is not in its volume")
        path.mkdir(parents=True)
        about = volume.path.stat()
        path.chmod(about.st_mode & 0o7777)
        os.chown(path, about.st_uid, about.st_gid)
    return path
