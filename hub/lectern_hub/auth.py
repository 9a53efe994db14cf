"""Login with shared passwords, for the people of the campus's courses.

The default login of a single machine. Names follow the same rules as in course
files; whoever is in no course and no admin is told so.
"""

from __future__ import annotations

from secrets import compare_digest
from typing import Any

from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from tornado import web
from traitlets import Instance, Unicode

from lectern_hub.pages import CampusLoginHandler
from lectern_spawner.access import Person
from lectern_spawner.catalog import Role
from lectern_spawner.catalog.names import escape, normalise, problem
from lectern_spawner.spawning import LiveCatalog
from lectern_spawner.words import N_, Words


class CampusPasswordAuthenticator(SharedPasswordAuthenticator):
    """One password for students, one for staff, one for admins."""

    live = Instance(LiveCatalog, help="The catalog of this campus.").tag(config=True)
    staff_password = Unicode(help="Password of instructors and assistants.").tag(config=True)

    def normalize_username(self, username: str) -> str:
        """Return the one spelling of a name, the same as in course files."""
        return normalise(username)

    def validate_username(self, username: str) -> bool:
        """Accept the names that course files accept."""
        return problem(username) is None and bool(super().validate_username(username))

    def get_handlers(self, app: object) -> list[tuple[str, Any]]:
        """Return the login page."""
        return [("/login", CampusLoginHandler)]

    async def authenticate(
        self, handler: CampusLoginHandler, data: dict[str, str]
    ) -> dict[str, Any] | None:
        """Check a name and a password.

        Raises:
            tornado.web.HTTPError: with a sentence that the login page shows, when
                the name cannot be one, or is in no course.
        """
        name = self.normalize_username(data.get("username", "").strip())
        spoken: Words = handler.spoken
        if why := problem(name):
            raise web.HTTPError(
                400, "%s", spoken.say(N_("This name cannot be used. %(why)s"), why=why)
            )
        admin = name in self.admin_users
        if not _same(data.get("password", ""), self._password_of(name, admin=admin)):
            return None
        if not admin and not self._roles(name):
            raise web.HTTPError(
                403,
                "%s",
                spoken.say(
                    N_("%(name)s is in no course here. Ask your teacher to add you."),
                    name=escape(name),
                ),
            )
        return {"name": name, "admin": admin}

    def _password_of(self, name: str, *, admin: bool) -> str:
        """Return the password of a person's strongest role."""
        if admin:
            return self.admin_password or ""
        if any(role is not Role.STUDENT for role in self._roles(name).values()):
            return self.staff_password
        return self.user_password or ""

    def _roles(self, name: str) -> dict[str, Role]:
        person = Person(name=name)
        return dict(self.live.current.roles(person.name, person.groups))


def _same(given: str, right: str) -> bool:
    """Compare in constant time; text of any language, and nothing equals no password."""
    return bool(right) and compare_digest(given.encode(), right.encode())
