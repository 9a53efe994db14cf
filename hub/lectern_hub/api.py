"""JupyterHub's REST API where it would answer a client's mistake with a traceback.

JupyterHub's own handlers do the work; these look at what came in first.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jupyterhub.apihandlers.users import (
    UserAPIHandler,
    UserListAPIHandler,
    UserServerAPIHandler,
)
from tornado import web

from lectern_hub.pages import Localized
from lectern_spawner.catalog.names import normalise, problem

if TYPE_CHECKING:
    from jupyterhub.apihandlers.base import APIHandler as _Handler
else:
    _Handler = object

_PATCHED = {"name": str, "display_name": str, "user_options": dict}


class CheckedBody(_Handler):
    """Reads bodies without a traceback for what is not JSON."""

    def get_json_body(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return the body as JSON data, None for an empty one.

        Raises:
            tornado.web.HTTPError: 400 for what is not JSON, or nested too deeply.
        """
        try:
            return json.loads(self.request.body) if self.request.body.strip() else None
        except (ValueError, RecursionError):
            raise web.HTTPError(400, "the body is not JSON") from None


class CampusServerAPIHandler(Localized, CheckedBody, UserServerAPIHandler):
    """Start and change servers; a refusal is an answer, not an accident."""

    def get_server_json_body(self) -> dict[str, Any]:
        """Return the options and name of a start, after a look of our own at the body."""
        self.get_json_body()  # JupyterHub's method skips ours
        body: dict[str, Any] = super().get_server_json_body()
        return body

    async def patch(self, user_name: str, server_name: str = "") -> None:
        """Change a server that does not run; unknown fields are the client's mistake."""
        body = self.get_json_body() or {}
        if not isinstance(body, dict):
            raise web.HTTPError(400, "the body must be an object")
        for field, value in body.items():
            if not isinstance(value, _PATCHED.get(field, ())):
                known = ", ".join(f"{name} ({kind.__name__})" for name, kind in _PATCHED.items())
                raise web.HTTPError(400, "%r cannot be set so; known are %s", field[:60], known)
        await super().patch(user_name, server_name)


class CampusUserAPIHandler(CheckedBody, UserAPIHandler):
    """Add one person, by the rules for names."""

    async def post(self, user_name: str) -> None:
        """Add a person under the one spelling of their name."""
        await super().post(_checked(user_name))


class CampusUserListAPIHandler(CheckedBody, UserListAPIHandler):
    """Add people, by the rules for names."""

    async def post(self) -> None:
        """Add people; one bad name adds nobody."""
        body = self.get_json_body()
        names = body.get("usernames") if isinstance(body, dict) else None
        if names and not isinstance(names, list):
            raise web.HTTPError(400, "usernames must be a list of names")
        for name in names or ():
            _checked(name)
        await super().post()


def _checked(name: object) -> str:
    """Return the one spelling of a name.

    Raises:
        tornado.web.HTTPError: 400 with the reason, when it cannot be a name.
    """
    if not isinstance(name, str):
        raise web.HTTPError(400, "a user name must be text")
    spelt = normalise(name)
    if why := problem(spelt):
        raise web.HTTPError(400, "%s", why)
    return spelt
