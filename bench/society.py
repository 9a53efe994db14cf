"""People in a JupyterHub database in memory, with the spawner objects that a hub gives them.

Used by `inside`, where no HTTP stands between the clock and what is measured.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from jupyterhub import orm
from jupyterhub.objects import Hub
from jupyterhub.spawner import Spawner
from jupyterhub.user import User
from traitlets.config import Config

# JupyterHub's own, which have no types.
_session_factory: Any = orm.new_session_factory
_user: Any = User


def _database() -> Any:  # noqa: ANN401 - SQLAlchemy's session, untyped in JupyterHub
    """Return a session of a fresh database; its migrations have nothing to tell."""
    logging.disable(logging.INFO)
    try:
        return _session_factory("sqlite:///:memory:")()
    finally:
        logging.disable(logging.NOTSET)


@dataclass
class Society:
    """A hub's database and users, without the hub's web server."""

    spawner_class: type[Spawner]
    config: Config
    db: Any = field(default_factory=_database)
    hub: Hub = field(default_factory=Hub)

    def rows(self, names: list[str]) -> list[orm.User]:
        """Return the people's rows of the database, made where they are missing."""
        known = {row.name: row for row in self.db.query(orm.User)}
        for name in names:
            if name not in known:
                known[name] = orm.User(name=name)
                self.db.add(known[name])
        self.db.commit()
        return [known[name] for name in names]

    def users(self, rows: list[orm.User]) -> list[User]:
        """Return fresh user objects, each with the spawner object of the default server."""
        settings = {
            "spawner_class": self.spawner_class,
            "config": self.config,
            "hub": self.hub,
            "base_url": "/",
        }
        users = [_user(row, settings) for row in rows]
        for user in users:
            user.spawners[""]  # made on first use
        self.db.commit()
        return users
