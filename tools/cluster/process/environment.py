"""A container's environment: plain values, references, and ``$(NAME)`` in between."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cluster.process import quantities
from cluster.process.node import ADDRESS
from cluster.process.records import Pod

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")
Source = tuple[str, str]
"""``configmaps`` or ``secrets``, and a name."""

Sources = Mapping[Source, dict[str, Any] | None]
"""What the API server has under these names; None when there is nothing."""


class MissingError(Exception):
    """Something that a pod refers to is not there; it may come yet."""


@dataclass(slots=True, frozen=True)
class Facts:
    """What fields and resources may be asked about."""

    pod: Pod
    address: str
    capacity: Mapping[str, str]
    """What holds for a resource that has no limit."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace ``$(NAME)`` where the name is known; ``$$`` stands for a dollar sign."""

    def replaced(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return values.get(match[1], match[0])

    return _REFERENCE.sub(replaced, text)


def wanted(container: Mapping[str, Any]) -> Iterator[Source]:
    """Yield the objects that a container's environment refers to."""
    for row in container.get("envFrom", []):
        for key, kind in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if key in row:
                yield kind, row[key]["name"]
    for row in container.get("env", []):
        source = row.get("valueFrom", {})
        for key, kind in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if key in source:
                yield kind, source[key]["name"]


def environment(container: Mapping[str, Any], facts: Facts, sources: Sources) -> dict[str, str]:
    """Return all variables of a container.

    Raises:
        MissingError: when an object or a key is not there and not optional.
    """
    values: dict[str, str] = {}
    for row in container.get("envFrom", []):
        values.update(_whole(row, sources))
    for row in container.get("env", []):
        if "valueFrom" not in row:
            values[row["name"]] = expand(row.get("value", ""), values)
        elif (value := _value(row["valueFrom"], container, facts, sources)) is not None:
            values[row["name"]] = value
    return values


def _whole(row: Mapping[str, Any], sources: Sources) -> Iterator[tuple[str, str]]:
    """Yield every key of an object under its prefix."""
    kind = "configmaps" if "configMapRef" in row else "secrets"
    reference = row["configMapRef" if kind == "configmaps" else "secretRef"]
    content = sources.get((kind, reference["name"]))
    if content is None and not reference.get("optional"):
        raise MissingError(f'{kind[:-1]} "{reference["name"]}" not found')
    for key, value in data_of(kind, content or {}).items():
        yield row.get("prefix", "") + key, value.decode(errors="surrogateescape")


def data_of(kind: str, content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return what a ConfigMap or a Secret holds."""
    if kind == "secrets":
        return {key: base64.b64decode(value) for key, value in (content.get("data") or {}).items()}
    texts = {key: value.encode() for key, value in (content.get("data") or {}).items()}
    rows = (content.get("binaryData") or {}).items()
    return texts | {key: base64.b64decode(value) for key, value in rows}


def _value(
    source: Mapping[str, Any], container: Mapping[str, Any], facts: Facts, sources: Sources
) -> str | None:
    if "fieldRef" in source:
        return field_value(source["fieldRef"]["fieldPath"], facts)
    if "resourceFieldRef" in source:
        return resource_value(source["resourceFieldRef"], container, facts)
    kind = "configmaps" if "configMapKeyRef" in source else "secrets"
    reference = source["configMapKeyRef" if kind == "configmaps" else "secretKeyRef"]
    content = sources.get((kind, reference["name"]))
    value = data_of(kind, content or {}).get(reference["key"])
    if value is not None:
        return value.decode(errors="surrogateescape")
    if reference.get("optional"):
        return None
    if content is None:
        raise MissingError(f'{kind[:-1]} "{reference["name"]}" not found')
    raise MissingError(f"couldn't find key {reference['key']} in {kind[:-1]} {reference['name']}")


def field_value(path: str, facts: Facts) -> str:
    """Return a field of the pod, for variables and files alike.

    Raises:
        MissingError: when nothing here knows it.
    """
    pod = facts.pod
    if match := _KEYED.fullmatch(path):
        rows = pod.labels if match[1] == "labels" else pod.annotations
        return rows.get(match[2], "")
    plain = {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "spec.nodeName": pod.node,
        "spec.serviceAccountName": str(pod.spec.get("serviceAccountName", "")),
        "status.podIP": facts.address,
        "status.podIPs": facts.address,
        "status.hostIP": ADDRESS,
        "status.hostIPs": ADDRESS,
        "metadata.labels": _listed(pod.labels),
        "metadata.annotations": _listed(pod.annotations),
    }
    try:
        return plain[path]
    except KeyError:
        raise MissingError(f"a process node does not know the field {path}") from None


def _listed(rows: Mapping[str, str]) -> str:
    """Return labels as a file of the downward API has them."""
    return "\n".join(f"{key}={_quoted(value)}" for key, value in sorted(rows.items()))


def _quoted(text: str) -> str:
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    )
    return f'"{escaped}"'


def resource_value(reference: Mapping[str, Any], container: Mapping[str, Any], facts: Facts) -> str:
    """Return a container's request or limit in the divisor's units."""
    name = reference.get("containerName")
    if name:
        rows = [*facts.pod.containers, *facts.pod.init_containers]
        container = next((row for row in rows if row["name"] == name), container)
    kind, _, resource = reference["resource"].partition(".")
    resources = container.get("resources", {})
    value = resources.get(kind, {}).get(resource)
    if value is None and kind == "limits":
        value = facts.capacity.get(resource)
    return quantities.in_units(value or "0", reference.get("divisor") or "1")
