"""An image's contracts, tried in pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lectern_images.contract.places import GROUP, HOME, INSIDE, PERSON, PERSON_UID
from lectern_images.errors import ImageError
from tests.support import pods

SCRIPTS = "contract"
SECONDS = 300
SECURITY = pods.RESTRICTED | {
    "runAsUser": PERSON_UID,
    "runAsGroup": GROUP,
    "readOnlyRootFilesystem": True,
}
HOME_VARIABLES = [{"name": "HOME", "value": HOME}, {"name": "JUPYTERHUB_USER", "value": PERSON}]
VOLUMES: dict[str, Any] = {
    "home": {"emptyDir": {}},
    "tmp": {"emptyDir": {}},
    "scripts": {"configMap": {"name": SCRIPTS, "optional": True}},
}
MOUNTS = [
    {"name": "home", "mountPath": HOME},
    {"name": "tmp", "mountPath": "/tmp"},
    {"name": "scripts", "mountPath": "/run/contract"},
]


def manifest(name: str, image: str, node: str, **container: Any) -> dict[str, Any]:
    """Return a pod of a person: any uid, a read-only root, a home and a /tmp of its own."""
    made = pods.pod(
        name,
        "",
        node=node,
        volumes=[{"name": key, **value} for key, value in VOLUMES.items()],
        container={
            "image": image,
            "imagePullPolicy": "Never",
            "command": None,
            "env": HOME_VARIABLES,
            "securityContext": SECURITY,
            "volumeMounts": MOUNTS,
            **container,
        },
    )
    return made


class PodPlace:
    """A `lectern_images.contract.places.Place` on a node of a cluster."""

    def __init__(self, api, namespace: str, image: str, node: str) -> None:
        self.api, self.namespace, self.image, self.node = api, namespace, image, node
        self._count = 0
        data = {path.name: path.read_text() for path in INSIDE.glob("*.py")}
        api.core.create_namespaced_config_map(
            namespace, {"metadata": {"name": SCRIPTS}, "data": data}
        )

    def run(
        self, script: str, words: Sequence[str] = (), python: Sequence[str] = ("python3",)
    ) -> str:
        self._count += 1
        name = f"contract-{self._count}"
        args = [*python, f"/run/contract/{script}", *words]
        made = manifest(name, self.image, self.node, args=args)
        phase, printed = pods.run(self.api, self.namespace, made, seconds=SECONDS)
        self.api.core.delete_namespaced_pod(name, self.namespace)
        if phase != "Succeeded":
            raise ImageError(printed)
        return printed
