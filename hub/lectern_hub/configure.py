"""Turn settings and a catalog into JupyterHub's configuration.

Called by `jupyterhub_config.py`. One function for each area, each a plain
mapping from values to traits.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from traitlets.config import Config

import lectern_hub
from lectern_hub import database, passwords, ports
from lectern_hub.live.keeper import Keeper
from lectern_hub.place import Place
from lectern_hub.settings import KUBERNETES, Servers, Settings, load_settings
from lectern_spawner.catalog import Shelf
from lectern_spawner.local import machine
from lectern_spawner.spawning import LiveCatalog

_NO_TIMEOUT = ("--proxy-timeout", "0")
HERE = Path(lectern_hub.__file__).parent


def configure(c: Config, place: Place) -> Path | None:
    """Fill JupyterHub's configuration.

    Args:
        c: what JupyterHub gives to its configuration file.
        place: where this hub lies.

    Returns:
        The site's own configuration file, to be run after ours.

    Raises:
        CatalogError: when the campus or the settings have errors.
        MachineError: when this machine cannot run servers as it must.
    """
    settings = load_settings(place.settings)
    keeper = Keeper(Shelf(place.campus), poll=settings.poll, every_seconds=settings.every_seconds)
    c.LecternHub.keeper = keeper
    _address(c, place, settings)
    _state(c, place, settings)
    _login(c, place, settings, keeper.live)
    _spawner(c, keeper.live)
    if settings.servers.backend == KUBERNETES:
        _pods(c, place, settings.servers)
    else:
        _processes(c, place)
    _pages(c)
    return settings.extra_config


def _address(c: Config, place: Place, settings: Settings) -> None:
    kept = ports.load(place.ports_file)
    c.JupyterHub.bind_url = ports.url(settings.host, place.port or settings.port)
    if settings.servers.backend == KUBERNETES:  # pods come from elsewhere
        c.JupyterHub.hub_bind_url = f"http://:{urlsplit(settings.servers.hub_url).port}"
        c.JupyterHub.hub_connect_url = settings.servers.hub_url
    else:
        c.JupyterHub.hub_ip = "127.0.0.1"
        c.JupyterHub.hub_port = kept.hub
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{kept.proxy_api}"
    c.ConfigurableHTTPProxy.pid_file = str(place.proxy_pid_file)
    # Else the proxy ends every request after 20 s, such as a large upload or a slow start's progress.
    c.ConfigurableHTTPProxy.command = [sys.executable, "-m", ports.PROXY_MODULE, *_NO_TIMEOUT]


def _state(c: Config, place: Place, settings: Settings) -> None:
    c.JupyterHub.db_url = settings.database or database.sqlite_url(place.state)
    c.JupyterHub.cookie_secret_file = str(place.state / "cookie_secret")


def _login(c: Config, place: Place, settings: Settings, live: LiveCatalog) -> None:
    kept = passwords.load(settings.password_file or place.password_file)
    c.JupyterHub.authenticator_class = "lectern-shared-password"
    login = c.CampusPasswordAuthenticator
    login.admin_users = set(settings.admins)
    login.user_password = kept.students
    login.staff_password = kept.staff
    login.admin_password = kept.admins
    login.live = live
    # Who may log in is decided by course lists, in the authenticator itself.
    login.allow_all = True


def _spawner(c: Config, live: LiveCatalog) -> None:
    c.JupyterHub.allow_named_servers = True
    c.CourseSpawnerMixin.live = live
    # The hub answers while it still looks for the servers of an earlier one.
    c.JupyterHub.init_spawners_timeout = 1
    # One student's broken profile must not take the hub down for everybody.
    c.Spawner.consecutive_failure_limit = 0


def _processes(c: Config, place: Place) -> None:
    machine.of(place.state)  # refuses now what would fail at the first start
    c.JupyterHub.spawner_class = "course-local"
    c.CourseLocalSpawner.state_dir = str(place.state)


def _pods(c: Config, place: Place, servers: Servers) -> None:
    c.JupyterHub.spawner_class = "course-kubernetes"
    c.CourseKubeSpawner.state_dir = str(place.state)
    c.CourseKubeSpawner.namespace = servers.namespace


def _pages(c: Config) -> None:
    c.JupyterHub.template_paths = [str(HERE / "templates")]


def secure_state(folder: Path) -> None:
    """Make the state folder, closed to other people but passable for their homes."""
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    (folder / "logs").mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        (folder / "logs").chmod(0o700)
