"""The hub's pages in people's languages.

JupyterHub's own handlers do the work; these change what a person reads, and
that a refusal is neither a server error nor a traceback in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from jupyterhub.handlers.base import UserUrlHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.handlers.pages import SpawnHandler, SpawnPendingHandler
from jupyterhub.spawner import SpawnException
from tornado import web

from lectern_spawner.access import RefusedError
from lectern_spawner.spawning import CourseSpawnerMixin
from lectern_spawner.words import N_, Words, negotiate, words

LANGUAGE_COOKIE = "lectern-language"
_NAMES = {"en": "English", "zh": "中文"}
_YEAR_DAYS = 365

# JupyterHub's own sentence for a login that failed, shown by our login page.
LOGIN_FAILED = N_("Invalid username or password")

if TYPE_CHECKING:
    from jupyterhub.handlers.base import BaseHandler as _Handler
else:
    _Handler = object


class Localized(_Handler):
    """A page that speaks the language of its reader."""

    @property
    def offered_languages(self) -> tuple[str, ...]:
        """Languages of the campus, the default first."""
        live = self.settings["lectern_live"]
        languages: tuple[str, ...] = live.current.campus.languages
        return languages

    @property
    def spoken(self) -> Words:
        """The words of the reader: what they chose, else what their browser asks for."""
        chosen = self.get_cookie(LANGUAGE_COOKIE, "")
        if chosen in self.offered_languages:
            return words(chosen)
        return words(
            negotiate(self.request.headers.get("Accept-Language", ""), self.offered_languages)
        )

    def prepare(self) -> Any:  # noqa: ANN401 - JupyterHub's own is a coroutine or nothing
        """Take a choice of language out of the address and keep it."""
        chosen = self.get_query_argument("lang", "")
        if self.request.method == "GET" and chosen:
            if chosen in self.offered_languages:
                self._keep_language(chosen)
            self.redirect(self.append_query_parameters(self.request.path, exclude=["lang"]))
            raise web.Finish
        return super().prepare()

    def _keep_language(self, chosen: str) -> None:
        self.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            path=self.hub.base_url,
            expires_days=_YEAR_DAYS,
            httponly=True,
            samesite="Lax",
        )

    @property
    def template_namespace(self) -> dict[str, Any]:
        """What templates find, with the words of the reader."""
        spoken = self.spoken
        namespace: dict[str, Any] = super().template_namespace
        return namespace | {
            "say": spoken.say,
            "language": spoken.language,
            "languages": [
                (tag, _NAMES[tag], self._in_language(tag)) for tag in self.offered_languages
            ],
        }

    def _in_language(self, tag: str) -> str:
        """Return the address of this page in another language."""
        kept = [
            (key, value)
            for key, value in parse_qsl(self.request.query)
            if key not in ("lang", "_xsrf")
        ]
        return f"{self.request.path}?{urlencode([*kept, ('lang', tag)])}"


class CampusLoginHandler(Localized, LoginHandler):
    """The login page."""


class CampusSpawnHandler(Localized, SpawnHandler):
    """The page where a person picks a profile."""

    async def _post(self, user_name: str, server_name: str, display_name: str) -> None:
        """Start, or go to the server that another window of this person has started meanwhile."""
        user = self.current_user
        spawner = user.spawners.get(server_name) if user_name == user.name else None
        if spawner is not None and spawner.active:
            self.redirect(self._get_pending_url(user, server_name))
            return
        await super()._post(user_name=user_name, server_name=server_name, display_name=display_name)

    async def _wrap_spawn_single_user(
        self,
        user: Any,  # noqa: ANN401 - JupyterHub's User is untyped
        server_name: str,
        display_name: str,
        spawner: CourseSpawnerMixin,
        pending_url: str,
        options: object = None,
    ) -> None:
        """Start, or show the page again with the reason why not.

        JupyterHub would answer a refusal with a traceback in its log.
        """
        spawner.handler = self
        try:
            spawner.decide(options, remembered=spawner.user_options)
            await super()._wrap_spawn_single_user(
                user, server_name, display_name, spawner, pending_url, options
            )
        except RefusedError as refused:
            sentence, status = refused.sentence(self.spoken), refused.status
            self.log.warning("Not starting a server of %s: %s", user.name, refused)
        except SpawnException as failed:  # already logged by `User.spawn`
            sentence = getattr(failed, "jupyterhub_message", failed.message)
            status = failed.status_code
        else:
            return
        self.set_status(status)
        self.finish(await self._render_form(user, spawner.render_form(), message=sentence))


class CampusSpawnPendingHandler(Localized, SpawnPendingHandler):
    """The page that a person sees while a server starts or stops."""


class CampusUserUrlHandler(Localized, UserUrlHandler):
    """The page that a person sees at the address of a server that does not run."""
