"""`lectern show COURSE/PROFILE --user NAME`: what a person would get, before they start it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path
from typing import Any

from lectern_spawner import access
from lectern_spawner.access import Person, RefusedError
from lectern_spawner.catalog import Catalog, load
from lectern_spawner.catalog.names import normalise, problem
from lectern_spawner.commands import Command
from lectern_spawner.plan import ServerPlan, make_plan
from lectern_spawner.words import SOURCE_LANGUAGE, Words, words

REFUSED = 1
CANNOT_RUN = 2


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("profile", metavar="COURSE/PROFILE", help="full name of a profile")
    parser.add_argument("--user", required=True, metavar="NAME", help="who would start it")
    parser.add_argument("--group", action="append", default=[], help="a group of that person")
    parser.add_argument("--admin", action="store_true", help="the person is an admin")
    parser.add_argument(
        "--campus",
        type=Path,
        default=Path("profiles"),
        metavar="DIR",
        help="folder with campus.yaml and the course files (default: profiles)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _run(options: Namespace) -> int:
    catalog = load(options.campus).catalog
    if catalog is None:
        sys.stderr.write(
            f"lectern show: {options.campus} has errors; see `lectern check {options.campus}`\n"
        )
        return CANNOT_RUN
    name = normalise(options.user)
    if why := problem(name):
        sys.stderr.write(f"lectern show: {why}\n")
        return CANNOT_RUN
    person = Person(name=name, groups=frozenset(options.group), admin=options.admin)
    try:
        plan = _plan(catalog, person, options.profile)
    except RefusedError as refused:
        sys.stdout.write(_refusal(refused, options.format))
        return REFUSED
    data = as_data(plan)
    spoken = words(SOURCE_LANGUAGE)
    text = json.dumps(data, ensure_ascii=False) if options.format == "json" else _text(plan, spoken)
    sys.stdout.write(text + "\n")
    return 0


def _plan(catalog: Catalog, person: Person, name: str) -> ServerPlan:
    now = datetime.now().astimezone()
    grant = access.decide(catalog, person, {"profile": name}, now)
    return make_plan(grant, person, catalog.campus, now)


def _refusal(refused: RefusedError, form: str) -> str:
    sentence = refused.sentence(words(SOURCE_LANGUAGE))
    if form == "json":
        return json.dumps({"refused": sentence, "reason": refused.reason}) + "\n"
    return f"refused: {sentence}\n"


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
            {"name": item.name, "storage": item.storage, "path": str(item.path)}
            for item in plan.data
        ],
        "env": dict(plan.env),
        "seconds_left": plan.seconds_left,
    }


def _text(plan: ServerPlan, spoken: Words) -> str:
    """Return a plan for a person: one fact on each line."""
    sure_memory = spoken.size(plan.memory_guarantee_bytes)
    rows = [
        ("profile", plan.name),
        ("person", f"{plan.person} ({plan.role.value})"),
        ("app", plan.app),
        ("image", plan.image),
        ("cpu", f"{spoken.cores(plan.cpu_limit)}, sure of {spoken.cores(plan.cpu_guarantee)}"),
        (
            "memory",
            f"{spoken.size(plan.memory_limit_bytes)}, sure of {sure_memory}",
        ),
        *(("data", f"{item.name} from {item.storage}: {item.path}") for item in plan.data),
        *(("env", f"{name}={value}") for name, value in sorted(plan.env.items())),
    ]
    if plan.seconds_left is not None:
        rows.append(("term", f"ends in {plan.seconds_left // 86400} days"))
    return "\n".join(f"{label:8}{value}" for label, value in rows)


show = Command(
    name="show",
    help="show what a person would get with a profile",
    configure=_configure,
    run=_run,
)
