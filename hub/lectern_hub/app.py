"""JupyterHub with Lectern's pages: the program that `lectern up` runs.

Configuration stays in `jupyterhub_config.py`; this class holds what JupyterHub
has no setting for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any

from jupyterhub.app import JupyterHub
from tornado.web import StaticFileHandler
from traitlets import Bool, Instance, Unicode

from lectern_hub import api, configure, database, home, pages
from lectern_hub.configure import HERE
from lectern_hub.live import page
from lectern_hub.live.keeper import Keeper
from lectern_hub.logfile import LogFile
from lectern_hub.place import Place
from lectern_spawner.catalog.gently import settle_memory
from lectern_spawner.words import words

CONFIG_FILE = HERE / "jupyterhub_config.py"

PAGES: list[tuple[Any, ...]] = [
    (r"/home", home.CampusHomeHandler),
    (r"/lectern/stop/([^/]*)", home.StopHandler),
    (r"/lectern/named", home.NamedServerHandler),
    (r"/lectern/catalog", page.CatalogHandler),
    (r"/lectern/api/v1/catalog", page.CatalogAPIHandler),
    (r"/spawn", pages.CampusSpawnHandler),
    (r"/spawn/([^/]+)", pages.CampusSpawnHandler),
    (r"/spawn/([^/]+)/([^/]+)", pages.CampusSpawnHandler),
    (r"/spawn-pending/([^/]+)", pages.CampusSpawnPendingHandler),
    (r"/spawn-pending/([^/]+)/([^/]*)", pages.CampusSpawnPendingHandler),
    (r"/user/(?P<user_name>[^/]+)(?P<user_path>/.*)?", pages.CampusUserUrlHandler),
    (r"/api/users", api.CampusUserListAPIHandler),
    (r"/api/users/([^/]+)", api.CampusUserAPIHandler),
    (r"/api/users/([^/]+)/server", api.CampusServerAPIHandler),
    (r"/api/users/([^/]+)/servers/([^/]*)", api.CampusServerAPIHandler),
    (r"/lectern/static/(.*)", StaticFileHandler, {"path": str(HERE / "static")}),
]


class LecternHub(JupyterHub):
    """JupyterHub, with what Lectern needs and JupyterHub cannot be configured to."""

    quiet = Bool(True, help="Show only errors; everything goes to the log file.").tag(config=True)

    log_path = Unicode(help="File for the hub's log; may be moved away at any time.").tag(
        config=True
    )

    keeper = Instance(Keeper, help="Keeps the catalog that of the campus folder.").tag(config=True)

    def init_logging(self) -> None:
        """Log to a file, and keep the terminal for what concerns the person in front of it."""
        for handler in self.log.handlers if self.quiet else ():
            handler.setLevel(logging.ERROR)
        if self.log_path:
            file = LogFile(self.log_path, encoding="utf-8")
            file.setLevel(logging.INFO)
            self.extra_log_handlers = [*self.extra_log_handlers, file]
        super().init_logging()

    def init_db(self) -> None:
        """Open the database with the pragmas that make SQLite fast and safe."""
        database.tune_sqlite()
        super().init_db()

    async def start(self) -> None:  # type: ignore[override]  # JupyterHub's own is async
        """Start, and say so: it takes a few seconds until the page is there."""
        await super().start()
        settle_memory()
        self._keeping = asyncio.create_task(self.keeper.run(self.log))
        if self.quiet:
            sys.stdout.write("Ready.\n")
            sys.stdout.flush()

    def init_handlers(self) -> None:
        """Put our pages before JupyterHub's."""
        super().init_handlers()
        self.handlers = self.add_url_prefix(self.hub_prefix, list(PAGES)) + self.handlers

    def init_tornado_settings(self) -> None:
        """Give pages the catalog, and templates their words."""
        super().init_tornado_settings()
        self.tornado_settings["lectern_live"] = self.keeper.live
        self.tornado_settings["lectern_keeper"] = self.keeper
        self.keeper.changed = self._speak
        self._speak()

    def _speak(self) -> None:
        """Give pages that are JupyterHub's own the words of the campus's first language."""
        spoken = words(self.keeper.live.current.campus.languages[0])
        # JupyterHub calls what can be called, with the user, and shows the result.
        said = {
            "say": lambda _user: spoken.say,
            "language": spoken.language,
            "languages": [],
        }
        self.tornado_settings["template_vars"].update(said)


def run(place: Place, *, quiet: bool, arguments: list[str]) -> None:
    """Run the hub until it is told to stop.

    Args:
        place: where it lies.
        quiet: whether the terminal shows errors only.
        arguments: further arguments of JupyterHub.
    """
    os.umask(0o077)
    configure.secure_state(place.state)
    place.to_environment()
    os.chdir(place.state)
    LecternHub.launch_instance(
        [
            f"--config={CONFIG_FILE}",
            f"--LecternHub.quiet={quiet}",
            f"--LecternHub.log_path={place.log_file}",
            *arguments,
        ]
    )
