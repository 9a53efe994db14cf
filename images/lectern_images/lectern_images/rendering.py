"""The list in the words of others: a Containerfile for each image, a bake file, a schema for editors.

All are checked in, and `lectern images render --check` fails when they say something
else than the list. They run the very scripts that our own engine runs.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from lectern_images import describing, locks
from lectern_images.layers import CONTEXT, ENVIRONMENT, STEPS, Layer, in_context, layers
from lectern_images.listing import LIST_FILE, ImageList
from lectern_images.model import DEBIAN, ListFile
from lectern_images.wheels import AUTHORITIES_INSIDE
from lectern_spawner import schema

BAKE_FILE = "docker-bake.json"
SCHEMA_FILE = "images.schema.json"
_HEADER = """\
# Made by `lectern images render` from images.yaml; changes belong there.
# Build it from the context: lectern images build, docker buildx bake, or buildah bud.
"""


def rendered(listed: ImageList) -> dict[Path, str]:
    """Return every file that is made from a list, by its path."""
    files = {listed.folder / name / "Containerfile": _containerfile(listed, name)
             for name in listed.file.images}  # fmt: skip
    shape = schema.as_text(schema.schema_of(ListFile, "images"))
    return files | {listed.folder / BAKE_FILE: _bake(listed), listed.folder / SCHEMA_FILE: shape}


def differences(listed: ImageList) -> list[str]:
    """Return what says something else than the list, each with what helps."""
    found = [locks.missing(lock) for lock in locks.locks(listed) if not lock.path.exists()]
    wanted = rendered(listed)
    for path, text in wanted.items():
        there = path.read_text(encoding="utf-8") if path.exists() else None
        if there != text:
            found.append(
                f"{path} is {'missing' if there is None else 'out of date'}: lectern images render"
            )
    known = {path.resolve() for path in wanted}
    for path in sorted(listed.folder.glob("*/Containerfile")):
        if path.resolve() not in known:
            found.append(
                f"{path.parent} belongs to no image of {listed.folder / LIST_FILE}: delete it"
            )
    return found


def _containerfile(listed: ImageList, name: str) -> str:
    image = listed.file.images[name]
    rows = [f"ARG BASE={_default_base(listed, name)}", "FROM ${BASE}", "USER 0"]
    rows += [f"ARG {key}={value}" for key, value in _BUILD_ONLY.items()]
    rows += [_run(listed, layer) for layer in layers(listed, name)]
    rows += _settings(listed, name)
    about = f"# {describing.title(image)}: made from {image.base}.\n"
    return _HEADER + about + "\n".join([*rows, ""])


def _default_base(listed: ImageList, name: str) -> str:
    base = listed.file.images[name].base
    if base == DEBIAN:
        return f"{DEBIAN}-slim"
    return listed.reference(base) if base in listed.file.images else base


def _run(listed: ImageList, layer: Layer) -> str:
    """Return the instruction that makes a layer; it sees what our own engine shows."""
    steps = in_context(listed, "lectern_images/lectern_images/steps")
    mounts = [(steps, STEPS), *((path, f"{CONTEXT}/{path}") for path in layer.reads)]
    rows = [f"RUN --mount=type=bind,source={source},target={target}" for source, target in mounts]
    for name, place in _SECRETS.get(layer.script, ()):
        rows.append(f"--mount=type=secret,id={name},target={place}")
    rows = [rows[0], *(row.removeprefix("RUN ") for row in rows[1:])]
    # Whatever the image below sets for people is not for those who build.
    rows.append(shlex.join(["env", *(f"{key}={ENVIRONMENT[key]}" for key in _REPEATED)]))
    rows.append(shlex.join(["sh", f"{STEPS}/{layer.script}", *layer.words]))
    return " \\\n    ".join(rows)


_APT = ("apt", "/etc/apt/sources.list.d/site.list")
_PIP = ("pip", "/etc/pip.conf")
_NPM = ("npm", "/etc/npmrc")
_AUTHORITIES = ("authorities", AUTHORITIES_INSIDE)
_SECRETS = {
    "apt.sh": (_APT, _AUTHORITIES),
    "python.sh": (_PIP, _AUTHORITIES),
    "wheels.sh": (_PIP, _AUTHORITIES),
    "node.sh": (_NPM, _AUTHORITIES),
    "script.sh": (_APT, _PIP, _NPM, _AUTHORITIES),
}
"""What a site may hand in to have packages from its mirrors; nothing of it stays."""

_REPEATED = ("HOME", "LANG", "PATH")
_BUILD_ONLY = {key: value for key, value in ENVIRONMENT.items() if key not in _REPEATED}


def _settings(listed: ImageList, name: str) -> Iterator[str]:
    config = describing.config(listed, name)
    for variable in config["Env"]:
        key, _, value = variable.partition("=")
        yield f"ENV {key}={json.dumps(value, ensure_ascii=False)}"
    yield "LABEL " + " \\\n    ".join(
        f"{key}={json.dumps(value, ensure_ascii=False)}"
        for key, value in sorted(config["Labels"].items())
    )
    for key, word in (("Entrypoint", "ENTRYPOINT"), ("Cmd", "CMD")):
        if key in config:
            yield f"{word} {json.dumps(config[key], ensure_ascii=False)}"
    yield f"WORKDIR {config['WorkingDir']}"
    yield f"USER {config['User']}"


def _bake(listed: ImageList) -> str:
    targets = {}
    for name in listed.order:
        if name not in listed.file.images:
            continue
        base = listed.file.images[name].base
        target: dict[str, object] = {
            "context": ".",
            "dockerfile": in_context(listed, f"{name}/Containerfile"),
            "tags": [listed.reference(name)],
        }
        if base in listed.file.images:
            target["contexts"] = {listed.reference(base): f"target:{base}"}
        targets[name] = target
    group = {"default": {"targets": [name for name in listed.order if name in targets]}}
    return json.dumps({"group": group, "target": targets}, indent=2, ensure_ascii=False) + "\n"
