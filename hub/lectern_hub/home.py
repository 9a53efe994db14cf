"""The page "My servers": what runs, what it is, open it, stop it, start another.

Works without JavaScript; stopping and naming are plain forms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.pages import HomeHandler
from jupyterhub.slugs import is_valid_safe_slug
from jupyterhub.spawner import Spawner
from jupyterhub.utils import url_escape_path, url_path_join
from tornado import web

from lectern_hub.pages import Localized
from lectern_spawner.catalog import Catalog
from lectern_spawner.words import Words

if TYPE_CHECKING:
    from jupyterhub.user import User

SILENT_SECONDS = 1.5
"""How long a button may seem to do nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One server as the page shows it."""

    name: str
    title: str
    course: str
    state: str
    """One of ``ready``, ``spawn`` (starting) and ``stop`` (stopping)."""

    url: str


class CampusHomeHandler(Localized, HomeHandler):
    """The servers of a person."""

    @property
    def template_namespace(self) -> dict[str, Any]:
        """Add the rows to what templates find."""
        rows = list(rows_of(self.current_user, self.settings["lectern_live"].current, self.spoken))
        return super().template_namespace | {
            "rows": rows,
            "bad_name": bool(self.get_query_argument("bad-name", "")),
        }


class StopHandler(Localized, BaseHandler):
    """The button Stop."""

    @web.authenticated
    async def post(self, server_name: str = "") -> None:
        """Stop a server of the person who asks; one that does not run is fine."""
        user = self.current_user
        spawner = user.spawners[server_name] if server_name in user.orm_spawners else None
        if spawner is not None and spawner.ready:
            await _begun(self.stop_single_user(user, server_name))
        self.redirect(url_path_join(self.hub.base_url, "home"))


class NamedServerHandler(Localized, BaseHandler):
    """The form that names another server."""

    @web.authenticated
    async def post(self) -> None:
        """Go to the spawn page of the named server, or back with the rule for names."""
        name = self.get_body_argument("name", "")
        home = url_path_join(self.hub.base_url, "home")
        if not is_valid_safe_slug(name):
            self.redirect(f"{home}?bad-name=1")
            return
        user = self.current_user
        self.redirect(url_path_join(self.hub.base_url, "spawn", user.escaped_name, name))


async def _begun(stop: Coroutine[Any, Any, object]) -> None:
    """Wait for a stop as long as people like to look at an old page; the next one tells more.

    The task needs no keeping: the spawner holds the future that it waits for.
    """
    task = asyncio.ensure_future(stop)
    await asyncio.wait([task], timeout=SILENT_SECONDS)
    if task.done():
        task.result()


def rows_of(user: User, catalog: Catalog, spoken: Words) -> Iterator[Row]:
    """Yield the servers of a person that run, start or stop."""
    for name, spawner in sorted(user.spawners.items()):
        if spawner.active:
            yield _row(user, name, spawner, catalog, spoken)


def _row(user: User, name: str, spawner: Spawner, catalog: Catalog, spoken: Words) -> Row:
    course_id, _, profile_id = str(spawner.user_options.get("profile", "")).partition("/")
    course = catalog.courses.get(course_id)
    profile = course.profiles.get(profile_id) if course else None
    return Row(
        name=name,
        title=profile.title.get(spoken.language) if profile else profile_id,
        course=course.title.get(spoken.language) if course else course_id,
        state=spawner.pending or "ready",
        url=url_path_join(user.url, url_escape_path(name), "/"),
    )
