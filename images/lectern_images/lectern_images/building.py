"""Our own engine: images on a machine that has neither docker nor buildah.

Needs root, mmdebstrap and bubblewrap. What it makes is the same, byte for byte, on
every machine that gets the same packages.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lectern_images import debian, progress, sandbox, wheels
from lectern_images.errors import ImageError
from lectern_images.layers import CONTEXT, SCRIPTS, STEPS, Layer, layers
from lectern_images.listing import ImageList
from lectern_images.model import DEBIAN
from lectern_images.store import Built, Store, digest_of, key_of

_APT, _NODE, _SCRIPT = "apt.sh", "node.sh", "script.sh"
_COMMON = ("debian.sh", "npm.sh", "tidy.sh", "compile.py")
_LITTLE_BYTES = 500_000_000
_VERSION = "1"
"""Raise it when layers come out differently although nothing that they are made of says so."""


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds the images of one list."""

    listed: ImageList
    store: Store
    say: Callable[[str], None]
    sources: str
    """Lines of a sources.list: where apt has its packages from."""

    fresh: str = ""
    """A word that makes Debian's layers anew for each new value, such as today's date."""

    _made: dict[str, list[Built]] = field(default_factory=dict)

    def build(self, name: str) -> list[Built]:
        """Return the layers of an image, building those that are not there yet.

        Raises:
            ImageError: when one cannot be built, with the image's name and the last lines.
        """
        if name not in self._made:
            self._made[name] = self._build(name)
        return self._made[name]

    def _build(self, name: str) -> list[Built]:
        base = self.listed.file.images[name].base
        if base in self.listed.file.images:
            stack = list(self.build(base))
        elif base == DEBIAN:
            stack = [self.root()]
        else:
            raise ImageError(
                f"{name} is made from {base}, which only docker or buildah can fetch: "
                f"--engine buildah"
            )
        for layer in layers(self.listed, name):
            stack.append(self._layer(name, layer, stack))
        return stack

    def root(self) -> Built:
        """Return Debian's own layer, building it when it is not there yet."""
        made_from = (Path(debian.__file__), SCRIPTS / "tidy.sh")
        key = key_of(_VERSION, DEBIAN, *map(digest_of, made_from), self.fresh)

        def make(work: Path) -> Path:
            file = work / "sources.list"
            file.write_text(self.sources)
            return debian.make_root(work, file)

        return self._kept(key, f"{DEBIAN}: mmdebstrap", make)

    def _layer(self, name: str, layer: Layer, below: list[Built]) -> Built:
        scripts = [digest_of(SCRIPTS / script) for script in (layer.script, *_COMMON)]
        reads = [digest_of(self.listed.context / path) for path in layer.reads]
        fresh = self.fresh if layer.script in (_APT, _SCRIPT) else ""
        key = key_of(_VERSION, below[-1].key, *scripts, *layer.words, "", *reads, fresh)
        about = f"{name}: {layer.script.removesuffix('.sh')}"
        return self._kept(key, about, lambda work: self._run(layer, below, work))

    def _kept(self, key: str, about: str, make: Callable[[Path], Path]) -> Built:
        if found := self.store.find(key):
            return found
        started = time.monotonic()
        try:
            with progress.ticking(self.say, about):
                built = self.store.add(key, make)
        except ImageError as error:
            raise ImageError(f"{about}: {error}{self._room()}") from None
        seconds = time.monotonic() - started
        self.say(f"{about}: {built.packed.content / 1e6:.0f} MB in {seconds:.1f} s")
        return built

    def _room(self) -> str:
        """Say how little room there is, since programs rarely name a full disk."""
        left = shutil.disk_usage(self.store.folder).free
        return f"\n{self.store.folder} has {left / 1e6:.0f} MB left" if left < _LITTLE_BYTES else ""

    def _run(self, layer: Layer, below: list[Built], work: Path) -> Path:
        lower = [built.place for built in reversed(below)]
        reads = {STEPS: SCRIPTS}
        reads |= {f"{CONTEXT}/{path}": self.listed.context / path for path in layer.reads}
        step = sandbox.Step(["sh", f"{STEPS}/{layer.script}", *layer.words], reads)
        if layer.script == _APT:
            step = self._with_apt(step, work)
        elif layer.script == _NODE:
            step = self._with_npm(step)
        elif layer.script == _SCRIPT:
            step = self._with_apt(self._with_npm(_with_pip(step)), work)
        elif layer.needs_network:
            step = self._with_wheels(step, layer, lower)
        sandbox.run(self.store.folder, lower, work, step)
        return work / "upper"

    def _with_apt(self, step: sandbox.Step, work: Path) -> sandbox.Step:
        """Let apt find its packages where this machine's does."""
        folders = {"debs": self.store.folder / "debs", "lists": work / "lists"}
        for folder in folders.values():
            (folder / "partial").mkdir(parents=True, exist_ok=True)
        (work / "apt.conf").write_text(debian.settings())
        (work / "sources.list").write_text(self.sources)
        reads = {f"/run/lectern/{name}": work / name for name in ("apt.conf", "sources.list")}
        return replace(
            step,
            reads={**step.reads, **reads, **_authorities()},
            writes={f"/run/lectern/{name}": folder for name, folder in folders.items()},
            variables={**step.variables, "APT_CONFIG": "/run/lectern/apt.conf"},
            has_network=True,
        )

    def _with_npm(self, step: sandbox.Step) -> sandbox.Step:
        """Let npm find its packages where this machine's does; their hashes are in the lock."""
        variables = {**step.variables, **npm_settings()}
        if authorities := _authorities():
            variables["npm_config_cafile"] = wheels.AUTHORITIES_INSIDE
        reads = {**step.reads, **authorities}
        return replace(step, reads=reads, variables=variables, has_network=True)

    def _with_wheels(self, step: sandbox.Step, layer: Layer, lower: list[str]) -> sandbox.Step:
        """Let pip find the lock's wheels in a folder, where they are by then."""
        folder = self.store.folder / "wheels"
        lock = next(path for path in layer.reads if path.endswith(".txt"))
        if absent := wheels.missing((self.listed.context / lock).read_text(), folder):
            self._fetch(absent, folder, lower)
        variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/run/lectern/wheels"}
        reads = {**step.reads, "/run/lectern/wheels": folder}
        return replace(step, reads=reads, variables=variables)

    def _fetch(self, absent: Iterable[wheels.Pin], folder: Path, lower: list[str]) -> None:
        with self.store.work() as work:
            lock = work / "lock.txt"
            lock.write_text("".join(pin.text for pin in absent))
            words, variables = wheels.fetching("/run/lectern/lock.txt")
            reads = {"/run/lectern/lock.txt": lock, **_authorities()}
            writes = {"/run/lectern/wheels": folder}
            step = sandbox.Step(words, reads, writes, variables, has_network=True)
            sandbox.run(self.store.folder, lower, work, step)


def _with_pip(step: sandbox.Step) -> sandbox.Step:
    """Let pip find its packages where this machine's does."""
    return replace(step, variables={**step.variables, **wheels.pip_settings()})


def _authorities() -> dict[str, Path]:
    """Return what a step that downloads must be shown to trust whom this machine trusts."""
    found = wheels.AUTHORITIES
    return {wheels.AUTHORITIES_INSIDE: found.resolve()} if found.exists() else {}


def npm_settings() -> dict[str, str]:
    """Return where npm of this machine has its packages from, as variables."""
    npm = shutil.which("npm")
    if not npm:
        return {}
    command = [npm, "config", "get", "registry"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {"npm_config_registry": done.stdout.strip()} if done.returncode == 0 else {}


def missing_tools() -> list[str]:
    """Return the Debian packages that this machine needs for the engine and lacks."""
    needed = {"mmdebstrap": "mmdebstrap", "bwrap": "bubblewrap", "unshare": "util-linux"}
    return [package for program, package in needed.items() if not shutil.which(program)]
