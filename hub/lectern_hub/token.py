"""`lectern token NAME`: print an API token for somebody who is known here."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lectern_hub import database
from lectern_hub.database import DatabaseError, NetworkDiskError
from lectern_hub.settings import Settings, load_settings
from lectern_hub.up import add_place_arguments, place_of
from lectern_spawner.catalog import CatalogError, load
from lectern_spawner.catalog.names import normalise, problem
from lectern_spawner.commands import Command

CANNOT_RUN = 2
_YEAR_SECONDS = 365 * 24 * 3600


class TokenError(Exception):
    """No token can be made; the text says why and what to do."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="user name of the person")
    add_place_arguments(parser)
    parser.add_argument(
        "--expires-in", type=int, default=_YEAR_SECONDS, metavar="SECONDS",
        help="seconds until the token stops working (default: one year)",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _run(arguments: argparse.Namespace) -> int:
    try:
        made = _token(arguments)
    except CatalogError as error:
        sys.stderr.write("".join(f"lectern token: {d.message}\n" for d in error.diagnostics))
        return CANNOT_RUN
    except (TokenError, DatabaseError, NetworkDiskError) as error:
        sys.stderr.write(f"lectern token: {error}\n")
        return CANNOT_RUN
    text = json.dumps(made) if arguments.format == "json" else made["token"]
    sys.stdout.write(f"{text}\n")
    return 0


def _token(arguments: argparse.Namespace) -> dict[str, str]:
    """Make the token in the hub's database, whether or not the hub runs."""
    place = place_of(arguments)
    name = normalise(arguments.name)
    if why := problem(name):
        raise TokenError(why)
    settings = load_settings(place.settings)
    if name not in settings.admins | load(place.campus).require().people():
        raise TokenError(
            f"{name} is in no course and no admin; add the name to a course file first"
        )
    return {"name": name, "token": _new_token(_database_of(settings, place.state), name, arguments)}


def _database_of(settings: Settings, state: Path) -> str:
    if settings.database:
        return settings.database
    if not (state / "jupyterhub.sqlite").exists():
        raise TokenError(
            f"no hub has run with the state folder {state}; start one with `lectern up`"
        )
    return database.sqlite_url(state)


def _new_token(url: str, name: str, arguments: argparse.Namespace) -> str:
    database.must_answer(url)
    from jupyterhub import orm  # takes half a second to import: after the checks

    db = orm.new_session_factory(url)()
    try:
        user = orm.User.find(db, name)
        if user is None:
            raise TokenError(f"{name} has never logged in here; a token can be made after that")
        token: str = user.new_api_token(
            note="made by lectern token", expires_in=arguments.expires_in
        )
        return token
    finally:
        db.close()


token = Command(name="token", help="print an API token of a person", configure=_configure, run=_run)
