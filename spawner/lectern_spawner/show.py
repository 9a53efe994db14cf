"""`lectern show COURSE/PROFILE --user NAME`: what a person would get, before they start it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from lectern_spawner import access
from lectern_spawner.access import Grant, Person, RefusedError
from lectern_spawner.catalog import Catalog, load, pending, shown
from lectern_spawner.catalog.names import normalise, problem
from lectern_spawner.catalog.reading import read_source
from lectern_spawner.catalog.source import Where
from lectern_spawner.commands import Command, add_campus
from lectern_spawner.describe import surroundings
from lectern_spawner.plan import Mount, ServerPlan, make_plan
from lectern_spawner.words import SOURCE_LANGUAGE, Words, words

REFUSED = 1
CANNOT_RUN = 2
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One fact about a server, and where it is written."""

    label: str
    value: str
    where: Where = ()
    """Path in the course file; empty for what is not written there."""

    in_campus: bool = False
    """Whether the path is one of the campus file."""


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("profile", metavar="COURSE/PROFILE", help="full name of a profile")
    parser.add_argument("--user", required=True, metavar="NAME", help="who would start it")
    parser.add_argument("--group", action="append", default=[], help="a group of that person")
    parser.add_argument("--admin", action="store_true", help="the person is an admin")
    add_campus(parser)
    parser.add_argument("--format", choices=("text", "yaml", "json"), default="text")
    parser.add_argument(
        "--backend", choices=("local", "kubernetes"), default="local",
        help="kubernetes: show the pod, and the volumes that it needs, as YAML or JSON",
    )  # fmt: skip
    parser.add_argument(
        "--namespace", default="default", metavar="NAME", help="of the pods (default: default)"
    )
    parser.add_argument("--trace", action="store_true", help="say from which line each value comes")


def _run(options: Namespace) -> int:
    loaded = load(options.campus)
    catalog = loaded.catalog
    course = options.profile.partition("/")[0]
    broken = {Path(item.file).stem for item in loaded.diagnostics if item.is_error}
    if catalog is None or (course not in catalog.courses and course in broken):
        what = options.campus if catalog is None else f"course {course}"
        sys.stderr.write(f"lectern show: {what} has errors; see `lectern check {options.campus}`\n")
        return CANNOT_RUN
    if "/" not in options.profile:
        sys.stderr.write("lectern show: give a course and a profile, such as ml-101/notebook\n")
        return CANNOT_RUN
    name = normalise(options.user)
    if why := problem(name):
        sys.stderr.write(f"lectern show: {why}\n")
        return CANNOT_RUN
    person = Person(name=name, groups=frozenset(options.group), admin=options.admin)
    now = datetime.now().astimezone()
    try:
        grant = access.decide(catalog, person, {"profile": options.profile}, now)
    except RefusedError as refused:
        sys.stdout.write(_refusal(refused, options.format))
        return REFUSED
    plan = make_plan(grant, person, catalog.campus, now)
    show_plan = _shown if options.backend == "local" else _shown_as_pod
    sys.stdout.write(show_plan(options, catalog, grant, plan))
    return 0


def _refusal(refused: RefusedError, form: str) -> str:
    sentence = refused.sentence(words(SOURCE_LANGUAGE))
    if form == "text":
        return f"refused: {sentence}\n"
    return _dumped({"refused": sentence, "reason": refused.reason}, form)


def _shown(options: Namespace, catalog: Catalog, grant: Grant, plan: ServerPlan) -> str:
    spoken = words(SOURCE_LANGUAGE)
    rows = list(rows_of(grant, plan, spoken))
    if options.format != "text":
        data = as_data(plan) | {
            "written": surroundings(grant.course, grant.profile, catalog.campus)
        }
        if options.trace:
            data["trace"] = {label: place for label, _, place in _traced(rows, catalog, grant)}
        return _dumped(data, options.format)
    if options.trace:
        lines = [
            f"{label:10}{value}\n{'':10}  {place}"
            for label, value, place in _traced(rows, catalog, grant)
        ]
    else:
        lines = [f"{row.label:10}{row.value}" for row in rows]
    if note := pending.note(pending.without_effect(catalog)):
        lines.append(f"note      {note}")
    return "\n".join(lines) + "\n"


def _shown_as_pod(options: Namespace, catalog: Catalog, grant: Grant, plan: ServerPlan) -> str:
    try:
        from lectern_spawner.kubernetes import preview
    except ImportError:
        return "pods need jupyterhub-kubespawner: the extra `kubernetes` of this package\n"
    if options.trace:
        rows = [Row(*field) for field in preview.fields(plan, grant)]
        return "".join(
            f"{label}: {value}\n    {place}\n"
            for label, value, place in _traced(rows, catalog, grant)
        )
    found = preview.objects(plan, catalog.campus, options.namespace)
    if options.format == "json":
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": found}) + "\n"
    return yaml.safe_dump_all(found, allow_unicode=True, sort_keys=False, width=_WIDTH)


def _dumped(data: dict[str, Any], form: str) -> str:
    if form == "json":
        return json.dumps(data, ensure_ascii=False) + "\n"
    # PyYAML puts in quotes what YAML 1.1 would take for something else, such as 14:00.
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=_WIDTH)


def as_data(plan: ServerPlan) -> dict[str, Any]:
    """Return a plan as plain data: bytes, cores as fractions in text, seconds."""
    return {
        "profile": plan.name,
        "person": plan.person,
        "role": plan.role.value,
        "app": plan.app,
        "image": plan.image,
        "cpu": {"guarantee": str(plan.cpu_guarantee), "limit": str(plan.cpu_limit)},
        "memory_bytes": {
            "guarantee": plan.memory_guarantee_bytes,
            "limit": plan.memory_limit_bytes,
        },
        "data": [
            {
                "name": item.name,
                "storage": item.storage,
                "inside": item.inside,
                "path": item.path and str(item.path),
                "writable": item.writable,
            }
            for item in plan.data
        ],
        "env": dict(plan.env),
        "seconds_left": plan.seconds_left,
    }


def rows_of(grant: Grant, plan: ServerPlan, spoken: Words) -> Iterator[Row]:
    """Yield a plan for a person: one fact on each line."""
    profile: Where = ("profiles", grant.profile.id)
    sure_memory = spoken.size(plan.memory_guarantee_bytes)
    cpu = f"{spoken.cores(plan.cpu_limit)}, sure of {spoken.cores(plan.cpu_guarantee)}"
    memory = f"{spoken.size(plan.memory_limit_bytes)}, sure of {sure_memory}"
    yield Row("profile", plan.name, profile)
    yield Row("person", f"{plan.person} ({plan.role.value})", (f"{plan.role.value}s",))
    yield Row("app", shown.app(grant.profile.app, plan.app), (*profile, "app"))
    yield Row("image", plan.image, ("images", grant.profile.image, "ref"), in_campus=True)
    yield Row("cpu", cpu, (*profile, "cpu"))
    yield Row("memory", memory, (*profile, "memory"))
    for index, item in enumerate(plan.data):
        yield Row("data", _data(item), ("data", index, "from"))
    for name, value in sorted(plan.env.items()):
        where: Where = (*profile, "env", name) if name in grant.profile.env else ()
        yield Row("env", f"{name}={value}", where)
    yield from _written(grant, profile)
    if plan.seconds_left is not None:
        yield Row("term", f"ends in {plan.seconds_left // 86400} days", ("term", "ends"))


def _data(mount: Mount) -> str:
    where = mount.path or f"{mount.inside}, only on Kubernetes"
    return f"{mount.name} from {mount.storage}: {where}{', writable' * mount.writable}"


def _written(grant: Grant, profile: Where) -> Iterator[Row]:
    """Yield what the files say about the rest, in short."""
    for index, gpu in enumerate(grant.profile.gpu):
        short: Where = (*profile, "gpu")
        yield Row("gpu", shown.gpu(gpu), (*short, index) if len(grant.profile.gpu) > 1 else short)
    if grant.profile.idle:
        yield Row("idle", shown.idle(grant.profile.idle), (*profile, "idle"))
    if grant.profile.licenses:
        yield Row("license", ", ".join(grant.profile.licenses), (*profile, "license"))
    if grant.profile.when != "always":
        yield Row("when", shown.when(grant.profile.when), (*profile, "when"))
    if grant.profile.instead:
        yield Row("instead", grant.profile.instead, (*profile, "instead"))
    if grant.course.home:
        yield Row("home", shown.home(grant.course.home), ("home",))
    if grant.course.shared:
        yield Row("shared", shown.shared(grant.course.shared), ("shared",))


def _traced(rows: list[Row], catalog: Catalog, grant: Grant) -> Iterator[tuple[str, str, str]]:
    """Yield rows with ``file:line:column`` of where each value is written."""
    course, _ = read_source(grant.course.file)
    campus, _ = read_source(catalog.campus.file)
    for row in rows:
        source = campus if row.in_campus else course
        place = source.value(row.where) if row.where and row.where in source.values else None
        at = f"{place.file}:{place.span.line}:{place.span.column}" if place else "set by Lectern"
        yield row.label, row.value, at


show = Command(
    name="show",
    help="show what a person would get with a profile",
    configure=_configure,
    run=_run,
)
