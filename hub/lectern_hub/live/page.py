"""The admins' page about course files, and the same as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from lectern_hub.live import news, report
from lectern_hub.live.keeper import Keeper
from lectern_hub.pages import Localized
from lectern_spawner.catalog import Diagnostic
from lectern_spawner.catalog.render import as_data

# Who sees JupyterHub's admin page sees this one too.
_SCOPE = "admin-ui"


class CatalogHandler(Localized, BaseHandler):
    """What the hub knows of the course files, for people."""

    @web.authenticated
    @needs_scope(_SCOPE)
    async def get(self) -> None:
        """Show the page."""
        keeper: Keeper = self.settings["lectern_keeper"]
        found = keeper.standing.loaded.diagnostics
        html = await self.render_template(
            "catalog.html",
            standing=_facts(keeper),
            kept=_kept(keeper),
            report=await asyncio.to_thread(report.markup, found, keeper.shelf.folder),
            unseen=max(0, len(found) - report.MOST_SHOWN),
        )
        self.finish(html)


class CatalogAPIHandler(Localized, APIHandler):
    """What the hub knows of the course files, for programs."""

    @needs_scope(_SCOPE)
    async def get(self) -> None:
        """Answer with the state and every diagnostic."""
        keeper: Keeper = self.settings["lectern_keeper"]
        found = await asyncio.to_thread(_data, keeper.standing.loaded.diagnostics)
        self.finish({**_facts(keeper), "kept": _kept(keeper), "diagnostics": found})


def _data(diagnostics: Sequence[Diagnostic]) -> list[dict[str, object]]:
    return [as_data(item) for item in diagnostics]


def _kept(keeper: Keeper) -> list[str]:
    return [news.short(file, keeper.shelf.folder) for file in keeper.standing.loaded.kept]


def _facts(keeper: Keeper) -> dict[str, Any]:
    """Return what can be said in a word or a number each."""
    standing, catalog = keeper.standing, keeper.live.current
    found = standing.loaded.diagnostics
    errors = sum(item.is_error for item in found)
    return {
        "revision": standing.revision,
        "folder": str(keeper.shelf.folder),
        "courses": len(catalog.courses),
        "profiles": sum(len(course.profiles) for course in catalog.courses.values()),
        "people": len(catalog.people()),
        "errors": errors,
        "warnings": len(found) - errors,
        "since": standing.since.isoformat(timespec="seconds"),
        "took_seconds": round(standing.took_seconds, 3),
        "looked": standing.looked.isoformat(timespec="milliseconds"),
        "watching": keeper.moments.how,
    }
