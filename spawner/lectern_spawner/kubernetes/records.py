"""Pods and events of Kubernetes, with the few fields that anybody here looks at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from lectern_spawner.kubernetes.watch import Record, Watch

_MOST_EVENTS = 40
"""Of one pod; a pod that cannot start repeats itself."""

_KEPT_LABELS = ("component", "hub.jupyter.org/", "lectern/")
_KEPT_ANNOTATIONS = ("hub.jupyter.org/", "lectern/")
_SHARED: dict[str, Any] = {}


class Pods(Watch):
    """The pods of servers."""

    kind = "pods"

    @property
    def pods(self) -> dict[str, Record]:
        """The pods by ``namespace/name``, for KubeSpawner."""
        return self.resources

    def slim(self, raw: Record) -> Record:
        """Return what is kept of a pod, in the shape of the API."""
        return slim_pod(raw)


class Events(Watch):
    """What Kubernetes says about pods, the newest last."""

    kind = "events"

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - traits of any kind
        """Begin with nothing."""
        super().__init__(**kwargs)
        self._by_pod: dict[str, deque[str]] = {}

    @property
    def events(self) -> list[Record]:
        """All of them, sorted by time, for KubeSpawner."""
        return sorted(self.resources.values(), key=moment)

    def of(self, pod: str) -> list[Record]:
        """Return those of one pod, the oldest first.

        Args:
            pod: ``namespace/name``.
        """
        keys = self._by_pod.get(pod, ())
        return sorted((self.resources[key] for key in keys if key in self.resources), key=moment)

    def keep(self, key: str, record: Record) -> None:
        """Take note of an event; the oldest of a pod with many is dropped."""
        if key not in self.resources:
            keys = self._by_pod.setdefault(_pod_of(record), deque())
            keys.append(key)
            if len(keys) > _MOST_EVENTS:
                super().forget(keys.popleft())
        super().keep(key, record)

    def forget(self, key: str) -> None:
        """Take note that an event has expired."""
        record = self.resources.get(key)
        super().forget(key)
        if record:
            pod = _pod_of(record)
            keys = self._by_pod.get(pod, deque())
            if key in keys:
                keys.remove(key)
            if not keys:
                self._by_pod.pop(pod, None)

    def slim(self, raw: Record) -> Record:
        """Return what is kept of an event, in the shape of the API."""
        about = raw["involvedObject"]
        return {
            "metadata": _picked(raw["metadata"], ("name", "namespace", "uid")),
            "involvedObject": _picked(about, ("name", "namespace", "uid")),
            "type": raw.get("type"),
            "reason": raw.get("reason"),
            "message": raw.get("message") or "",
            "count": raw.get("count") or 1,
            "lastTimestamp": raw.get("lastTimestamp"),
            "eventTime": raw.get("eventTime"),
        }

    def _tell(self, key: str) -> None:
        """Wake whoever waits for news of the pod that an event is about."""
        super()._tell(key)
        if record := self.resources.get(key):
            super()._tell(_pod_of(record))


def _pod_of(event: Record) -> str:
    """Return the key of the pod that an event is about."""
    about = event["involvedObject"]
    return f"{about['namespace']}/{about['name']}"


def moment(event: Record) -> str:
    """Return when something was said, in a form that sorts."""
    return str(event["lastTimestamp"] or event["eventTime"] or "")


def slim_pod(raw: Record) -> Record:
    """Return the fields of a pod that are looked at here or by KubeSpawner."""
    about, status = raw["metadata"], raw.get("status", {})
    metadata = _picked(about, ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp"))
    metadata["creationTimestamp"] = about.get("creationTimestamp")
    metadata["labels"] = _beginning(about.get("labels"), _KEPT_LABELS)
    metadata["annotations"] = _beginning(about.get("annotations"), _KEPT_ANNOTATIONS)
    kept = _picked(status, ("phase", "reason", "message"))
    kept["podIP"] = status.get("podIP")
    kept["conditions"] = [
        _picked(row, ("type", "status", "reason", "message"))
        for row in status.get("conditions", ())
        if row.get("status") != "True"
    ]
    for kind in ("initContainerStatuses", "containerStatuses"):
        if kind in status:
            kept[kind] = [_container(row) for row in status[kind]]
    return {"metadata": metadata, "spec": _spec(raw["spec"]), "status": kept}


def _spec(spec: Record) -> Record:
    """Return where a pod runs and its ports; most pods share one."""
    containers = [
        {"name": row["name"], "ports": row.get("ports", [])} for row in spec["containers"]
    ]
    return _shared({"nodeName": spec.get("nodeName"), "containers": containers})


def _container(status: Record) -> Record:
    kept = _picked(status, ("name", "ready", "restartCount"))
    kept["state"] = _shared(_without_times(status.get("state") or {}))
    kept["lastState"] = _shared(_without_times(status.get("lastState") or {}))
    return kept


def _without_times(state: Record) -> Record:
    fields = ("reason", "message", "exitCode", "signal")
    return {name: _picked(about or {}, fields) for name, about in state.items()}


def _picked(record: Record, fields: Iterable[str]) -> Record:
    return {field: record[field] for field in fields if field in record}


def _beginning(pairs: dict[str, str] | None, beginnings: tuple[str, ...]) -> dict[str, str]:
    return {key: value for key, value in (pairs or {}).items() if key.startswith(beginnings)}


def _shared(value: Record) -> Record:
    """Return an equal record that many objects can have together; nobody changes records."""
    if len(_SHARED) > 10_000:
        _SHARED.clear()
    return _SHARED.setdefault(repr(value), value)  # type: ignore[no-any-return]
