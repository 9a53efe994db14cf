"""The verb `lectern images`: what becomes of the list."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from lectern_images import (
    contents,
    debian,
    describing,
    engines,
    importing,
    listing,
    model,
    oci,
    offering,
    packages,
    prepulling,
    progress,
    rendering,
)
from lectern_images import locks as locking
from lectern_images.building import Builder, missing_tools
from lectern_images.contract import files, trying
from lectern_images.contract.places import Sandbox
from lectern_images.errors import ImageError
from lectern_images.listing import ImageList
from lectern_images.store import Built, Store, default_folder
from lectern_images.wheels import pins
from lectern_spawner.catalog import CatalogError, load
from lectern_spawner.catalog import render as rendering_problems
from lectern_spawner.catalog.loader import CAMPUS_FILE
from lectern_spawner.commands import CANNOT_RUN, Command, add_campus
from lectern_spawner.edit import store as edits
from lectern_spawner.edit.change import RefusedChangeError

INTERRUPTED = 130


def say(text: str) -> None:
    """Print a line at once: what comes next may take minutes."""
    print(text, flush=True)


def _configure(parser: ArgumentParser) -> None:
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    render = verbs.add_parser("render", help="write the Containerfiles and the bake file")
    render.set_defaults(images_verb=_render)
    render.add_argument("--check", action="store_true", help="write nothing; fail if they differ")
    plan = verbs.add_parser("plan", help="say which images each pool of nodes needs")
    plan.set_defaults(images_verb=_plan)
    for verb in (render, plan):
        add_campus(verb)
    list_ = verbs.add_parser("list", help="say which images there are")
    list_.set_defaults(images_verb=_list)
    lock = verbs.add_parser("lock", help="work out the pinned Python packages anew")
    lock.set_defaults(images_verb=_lock)
    lock.add_argument("--upgrade", action="store_true", help="to the newest versions that fit")
    build = verbs.add_parser("build", help="build images on this machine")
    build.set_defaults(images_verb=_build)
    build.add_argument(
        "--engine", choices=engines.NAMES, default=engines.AUTO, help="what builds (default: auto)"
    )
    build.add_argument("--output", type=Path, metavar="DIR", help="write them as an OCI layout")
    build.add_argument("--archive", type=Path, metavar="FILE", help="write them as one OCI archive")
    test = verbs.add_parser("test", help="build images and try whether they keep their contracts")
    test.set_defaults(images_verb=_test)
    import_ = verbs.add_parser("import", help="bring an image into the registry of the campus")
    import_.set_defaults(images_verb=_import)
    import_.add_argument("source", metavar="SOURCE", help="an archive, or a name in a registry")
    import_.add_argument("target", metavar="NAME", help="its name in your registry, with a tag")
    import_.add_argument("--insecure", action="store_true", help="registries may speak HTTP")
    for verb in (build, test):
        verb.add_argument("--fresh", action="store_true", help="with Debian's packages of today")
        verb.add_argument(
            "--sources", type=Path, metavar="FILE", help="sources.list of your mirror"
        )
    for verb in (lock, build, test):
        verb.add_argument("names", nargs="*", metavar="IMAGE", help="which; all if none is named")
    for verb in (render, list_, lock, build, test, import_):
        verb.add_argument(
            "--images", type=Path, default=Path("images"), metavar="DIR",
            help="folder with images.yaml (default: images)",
        )  # fmt: skip


def _run(options: Namespace) -> int:
    try:
        code: int = options.images_verb(options)
    except CatalogError as error:
        sys.stderr.write(rendering_problems.FORMATS["full"](list(error.diagnostics), colour=False))
        return 1
    except ImageError as error:
        print(f"lectern images: {error}", file=sys.stderr)
        return CANNOT_RUN
    except OSError as error:  # a full disk, a folder that is not ours, a path that is a file
        where = f"{error.filename}: " if error.filename else ""
        print(f"lectern images: {where}{error.strerror or error}", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print("lectern images: stopped; what was finished is kept", file=sys.stderr)
        return INTERRUPTED
    return code


def _wanted(listed: ImageList, names: Iterable[str]) -> list[str]:
    """Return the images that were named, all if none was.

    Raises:
        ImageError: when there is none of a name.
    """
    known = [name for name in listed.order if name in listed.file.images]
    for name in names:
        if name not in known:
            raise ImageError(f"there is no image {name}; there are: {', '.join(known)}")
    return list(names) or known


def _render(options: Namespace) -> int:
    listed = listing.load(options.images)
    campus = options.campus / CAMPUS_FILE
    try:
        stored = edits.read(campus)
        text = offering.updated(listed, stored.text)
        if options.check:
            return _differences(listed, campus if text != stored.text else None)
        edits.write(stored, text)
    except (edits.StoreError, RefusedChangeError) as error:
        raise ImageError(f"{campus}: {error}") from None
    for path, content in rendering.rendered(listed).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    say(
        f"{len(listed.file.images)} Containerfiles, {rendering.BAKE_FILE} and the images of "
        f"{campus} are up to date"
    )
    return 0


def _differences(listed: ImageList, campus: Path | None) -> int:
    found = rendering.differences(listed)
    if campus:
        found.append(f"{campus} lacks what the list says of its images: lectern images render")
    for difference in found:
        say(difference)
    return 1 if found else 0


def _list(options: Namespace) -> int:
    listed = listing.load(options.images)
    for name in _wanted(listed, ()):
        image = listed.file.images[name]
        note = "" if image.status == "active" else f", {image.status}"
        say(
            f"{name:16} from {image.base:14} at most {image.size:>7}  {describing.title(image)}{note}"
        )
    return 0


def _plan(options: Namespace) -> int:
    loaded = load(options.campus)
    if loaded.catalog is None or any(item.is_error for item in loaded.diagnostics):
        raise CatalogError(tuple(loaded.diagnostics))
    say(json.dumps(prepulling.plan(loaded.catalog), indent=2, ensure_ascii=False))
    return 0


def _lock(options: Namespace) -> int:
    listed = listing.load(options.images)
    wanted = _wanted(listed, options.names)
    for lock in locking.locks(listed):
        if lock.image in wanted:
            locking.resolve(listed, lock, ["--upgrade"] if options.upgrade else [])
            say(f"{lock.path}: {len(list(pins(locking.read(lock))))} packages")
    for name in wanted:
        if listed.file.images[name].node:
            say(f"{locking.resolve_node(listed, name)} is up to date")
    return 0


def _must_have_locks(listed: ImageList, names: Iterable[str]) -> None:
    """Refuse to begin what cannot come to its end.

    Raises:
        ImageError: when a lock is missing.
    """
    line = {image for name in names for image in listed.line(name)}
    for lock in locking.locks(listed):
        if lock.image in line:
            locking.read(lock)


def _must_write(options: Namespace) -> None:
    """Look at where the results go before an hour is spent on them.

    Raises:
        ImageError: when they could not be written there.
    """
    if options.archive and not options.archive.absolute().parent.is_dir():
        raise ImageError(f"there is no folder {options.archive.absolute().parent}")
    if options.output is None:
        return
    if options.output.exists() and not options.output.is_dir():
        raise ImageError(f"{options.output} is a file; --output wants a folder")
    is_layout = (options.output / "oci-layout").exists()
    if options.output.exists() and not is_layout and any(options.output.iterdir()):
        raise ImageError(f"{options.output} is neither empty nor an OCI layout; choose another")
    if find_spec("cyclonedx") is None:
        raise ImageError(
            "bills of materials need cyclonedx-python-lib, which `make images` of a checkout "
            "has (and the extra `images` of this package)"
        )


def _builder(options: Namespace) -> tuple[Builder, AbstractContextManager[None]]:
    """Return what builds, and what keeps others from building meanwhile."""
    listed = listing.load(options.images)
    if os.geteuid() != 0:
        raise ImageError("only root can build images without docker or buildah")
    if names := missing_tools():
        raise ImageError(f"something is missing: apt-get install {' '.join(names)}")
    store = Store(default_folder())
    fresh = datetime.now(UTC).date().isoformat() if options.fresh else ""
    sources = options.sources.read_text() if options.sources else debian.sources()
    return Builder(listed, store, say, sources, fresh), store.alone(say)


def _build(options: Namespace) -> int:
    wants_own = options.output or options.archive or options.fresh
    engine = engines.OWN if wants_own and options.engine == engines.AUTO else options.engine
    if (engine := engines.choose(engine)) != engines.OWN:
        return _build_elsewhere(options, engine)
    _must_write(options)
    builder, alone = _builder(options)
    listed = builder.listed
    wanted = _wanted(listed, options.names)
    _must_have_locks(listed, wanted)
    with alone:
        images = []
        for name in wanted:
            built = builder.build(name)
            image = describing.whole(listed, name, built)
            images.append(image)
            say(f"{image.reference}: {_megabytes(built)} MB unpacked, {image.digest}")
            if options.output:
                _write_bill(options.output, name, image, built)
        if options.output:
            oci.write_layout(images, options.output)
        if options.archive:
            oci.write_archive(images, options.archive)
    return 0


def _build_elsewhere(options: Namespace, engine: str) -> int:
    """Let docker or buildah build; the images are theirs then."""
    if options.output or options.archive or options.fresh:
        raise ImageError(
            f"--output, --archive and --fresh are for --engine {engines.OWN}; {engine} keeps "
            f"what it builds: {engine} push NAME"
        )
    listed = listing.load(options.images)

    def own_debian() -> oci.Image:
        if os.geteuid() != 0:
            raise ImageError(
                f"{model.DEBIAN} cannot be fetched, and only root can make it with mmdebstrap"
            )
        say(f"{model.DEBIAN} cannot be fetched; mmdebstrap makes it")
        builder, alone = _builder(options)
        with alone:
            return describing.bare(builder.root(), engines.LOCAL_DEBIAN)

    job = engines.Job(listed, _wanted(listed, options.names), own_debian, say)
    engines.build(job, engine)
    return 0


def _megabytes(built: Iterable[Built]) -> str:
    return f"{sum(layer.packed.content for layer in built) / 1e6:.0f}"


def _write_bill(folder: Path, name: str, image: oci.Image, built: Iterable[Built]) -> None:
    from lectern_images import sbom  # whose library not everybody has, see `_must_write`

    found = packages.packages(contents.entries([layer.tree for layer in built]))
    folder.mkdir(parents=True, exist_ok=True)
    bill = sbom.bill(image.reference, image.digest, found)
    (folder / f"{name}.cdx.json").write_text(bill, encoding="utf-8")
    (folder / f"{name}.licenses.txt").write_text(sbom.license_list(found), encoding="utf-8")


def _test(options: Namespace) -> int:
    builder, alone = _builder(options)
    listed, bad = builder.listed, 0
    wanted = _wanted(listed, options.names)
    _must_have_locks(listed, wanted)
    with alone:
        for name in wanted:
            builder.build(name)
    for name in wanted:
        built = builder.build(name)
        found = contents.entries([layer.tree for layer in built])
        most = model.size_bytes(listed.file.images[name].size)
        results = [trying.Result("files", problem) for problem in files.problems(found, most)]
        lower = [layer.place for layer in built]
        place = Sandbox(builder.store.folder, lower, describing.config(listed, name))
        results = results or [trying.Result("files")]
        with progress.ticking(say, f"{name}: trying it"):
            results += trying.tried(listed, name, place)
        for result in results:
            bad += bool(result.problem)
            facts = ", ".join(f"{key} {value}" for key, value in (result.facts or {}).items())
            say(f"{name}: {result.contract}: {result.problem or 'kept'}{facts and f' ({facts})'}")
    return 1 if bad else 0


def _import(options: Namespace) -> int:
    if os.geteuid() != 0:
        raise ImageError("only root can unpack an image and try it")
    wanted = locking.jupyterhub(listing.load(options.images))
    lines = importing.imported(
        importing.Wish(options.source, options.target, options.insecure, wanted, say)
    )
    if lines is None:
        say(f"{options.source} was not imported")
        return 1
    say(f"For campus.yaml:\n{lines}")
    return 0


images = Command(
    name="images",
    help="build, look at and import the images of servers",
    configure=_configure,
    run=_run,
)
