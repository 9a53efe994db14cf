"""What an image says about itself: variables, what it starts, whom as, and its labels."""

from __future__ import annotations

from typing import Any

from lectern_images.layers import SERVER, layers
from lectern_images.listing import ImageList
from lectern_images.locks import locks, read
from lectern_images.model import ImageFile
from lectern_images.oci import Blob, Image
from lectern_images.store import Built
from lectern_images.wheels import pins

USER = "1000:100"
"""Whom it runs as when nobody says; any user id with group 100 works."""

HOME = "/home/student"
_PREFIX = "org.lectern"
_OCI = "org.opencontainers.image"
_SAID = ("jupyterhub", "jupyterlab", "jupyter-server")
"""Packages of the server whose versions a catalog or an admin asks for."""


def config(listed: ImageList, name: str) -> dict[str, Any]:
    """Return the ``config`` of an image, as the OCI specification has it."""
    variables = {"HOME": HOME, **listed.environment(name)}
    found: dict[str, Any] = {
        "Env": [f"{key}={value}" for key, value in sorted(variables.items())],
        "User": USER,
        "WorkingDir": "/",
        "Labels": labels(listed, name),
    }
    for key, words in (("Entrypoint", "entrypoint"), ("Cmd", "command")):
        if value := listed.last_of(name, words):
            found[key] = list(value)
    return found


def labels(listed: ImageList, name: str) -> dict[str, str]:
    """Return an image's labels: what the catalog and admins want to know without starting it."""
    image = listed.file.images[name]
    rows = {
        f"{_OCI}.title": title(image),
        f"{_OCI}.version": listed.file.tag,
        f"{_OCI}.base.name": image.base if image.base not in listed.file.images
        else listed.reference(image.base),
        f"{_PREFIX}.image": name,
        f"{_PREFIX}.capabilities": ",".join(sorted(listed.all_of(name, "capabilities"))),
        f"{_PREFIX}.status": image.status,
        f"{_PREFIX}.tests": ",".join(listed.all_of(name, "tests")),
    }  # fmt: skip
    if image.successor:
        rows[f"{_PREFIX}.successor"] = image.successor
    versions = {
        pin.name: pin.version
        for lock in locks(listed)
        if lock.kind == SERVER and lock.image in listed.line(name)
        for pin in pins(read(lock))
    }
    return rows | {f"{_PREFIX}.{key}": versions[key] for key in _SAID if key in versions}


def title(image: ImageFile) -> str:
    """Return an image's title in the language that software speaks."""
    if isinstance(image.title, str):
        return image.title
    return str(image.title.get("en") or next(iter(image.title.values())))


def whole(listed: ImageList, name: str, built: list[Built], reference: str = "") -> Image:
    """Return an image that was built, ready to be written.

    Args:
        listed: the list.
        name: which image.
        built: its layers.
        reference: its whole name, if not the one of the list.
    """
    return Image(
        reference or listed.reference(name),
        tuple(_blob(layer) for layer in built),
        config(listed, name),
        history(listed, name),
    )


def bare(layer: Built, reference: str) -> Image:
    """Return one layer alone as an image."""
    return Image(reference, (_blob(layer),), {}, ("mmdebstrap",))


def _blob(layer: Built) -> Blob:
    return Blob(layer.file, layer.packed.digest, layer.packed.size, layer.packed.diff_id)


def history(listed: ImageList, name: str) -> tuple[str, ...]:
    """Return what made each layer, in words that `docker history` shows."""
    first = listed.file.images[listed.line(name)[0]].base
    rows = [f"mmdebstrap {first}"]
    for image in listed.line(name):
        rows += [f"{layer.script} {' '.join(layer.words)}" for layer in layers(listed, image)]
    return tuple(rows)
