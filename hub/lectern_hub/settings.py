"""What `lectern.yaml` may say: this hub, read once at start.

Goes through the same reader and diagnostics as the catalog. `place.Place` says
where things lie; settings say how the hub behaves.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from lectern_spawner.catalog import CatalogError, Diagnostic
from lectern_spawner.catalog.messages import at_value
from lectern_spawner.catalog.names import normalise, problem
from lectern_spawner.catalog.reading import Many, Parsed, Section, read_model
from lectern_spawner.catalog.sections.fields import Duration, choice

SETTINGS_FILE = "lectern.yaml"
LOCAL, KUBERNETES = "local", "kubernetes"


class Address(Section):
    """Where browsers reach the hub."""

    host: str = Field("127.0.0.1", description="IP address to listen on; empty for all.")
    port: int = Field(8000, ge=1, le=65535, description="TCP port.")


class Login(Section):
    """Who may log in, and how."""

    password_file: str | None = Field(
        None,
        description="File with the passwords `students`, `staff` and `admins`, readable by its "
        "owner only. Not set: generated at the first start.",
    )


class CatalogWatch(Section):
    """How the hub learns of course files that change."""

    watch: Annotated[str, *choice("auto", "poll")] = Field(
        "auto",
        description="`auto`: at once through inotify, and by looking every few seconds where "
        "inotify does not work, as on NFS; `poll`: always by looking.",
    )
    every: Duration = Field(
        timedelta(seconds=5), description="Time between two looks without inotify."
    )


class Servers(Section):
    """Where people's servers run."""

    backend: Annotated[str, *choice(LOCAL, KUBERNETES)] = Field(
        LOCAL, description="`local`: processes of this machine; `kubernetes`: pods."
    )
    namespace: str = Field("default", description="Namespace of the pods.")
    hub_url: str = Field(
        "http://hub:8081", description="Where pods reach the hub; it listens on this port."
    )


class SettingsFile(Section):
    """The whole of `lectern.yaml`."""

    admins: Many[str] = Field(("admin",), description="User names of the people who run this hub.")
    address: Address = Field(default_factory=Address)
    database: str | None = Field(
        None,
        description="URL of JupyterHub's database, such as "
        "`postgresql+pg8000://user:password@host/name`. Not set: SQLite in the state folder.",
    )
    login: Login = Field(default_factory=Login)
    servers: Servers = Field(default_factory=Servers)
    catalog: CatalogWatch = Field(default_factory=CatalogWatch)
    extra_config: str | None = Field(
        None, description="A JupyterHub configuration file of the site, run after ours."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Checked settings, ready for use."""

    admins: frozenset[str]
    host: str
    port: int
    port_is_set: bool
    """Whether somebody asked for this very port."""

    database: str | None
    password_file: Path | None
    servers: Servers
    extra_config: Path | None
    poll: bool
    """Whether the hub does without inotify."""

    every_seconds: float
    """Time between two looks at the campus folder without inotify."""


def load_settings(file: Path | None) -> Settings:
    """Read the settings.

    Args:
        file: the settings file; None where there is none, which is fine.

    Raises:
        CatalogError: with every problem of the file at its place.
    """
    if file is None:
        return _settings(SettingsFile(), Path())
    parsed = read_model(file, SettingsFile)
    found = [*parsed.diagnostics, *_problems(parsed)]
    if parsed.model is None or any(item.is_error for item in found):
        raise CatalogError(tuple(found))
    return _settings(parsed.model, file.parent)


def _settings(file: SettingsFile, folder: Path) -> Settings:
    def beside(name: str | None) -> Path | None:
        return (folder / name).absolute() if name else None

    return Settings(
        admins=frozenset(normalise(name) for name in file.admins),
        host=file.address.host,
        port=file.address.port,
        port_is_set="port" in file.address.model_fields_set,
        database=file.database,
        password_file=beside(file.login.password_file),
        servers=file.servers,
        extra_config=beside(file.extra_config),
        poll=file.catalog.watch == "poll",
        every_seconds=file.catalog.every.total_seconds(),
    )


def _problems(parsed: Parsed[SettingsFile]) -> list[Diagnostic]:
    """Return what the shape alone cannot tell."""
    if (model := parsed.model) is None:
        return []
    found: list[tuple[tuple[str | int, ...], str, str | None]] = [
        (("admins", index), "LEC205", problem(normalise(name)))
        for index, name in enumerate(model.admins)
    ]
    found.append((("address", "host"), "LEC109", _host_problem(model.address.host)))
    found.append((("servers", "namespace"), "LEC109", _namespace_problem(model.servers.namespace)))
    found.append((("servers", "hub_url"), "LEC109", _url_problem(model.servers.hub_url)))
    found.append((("database",), "LEC109", _database_problem(model.database)))
    found.append((("extra_config",), "LEC109", _file_problem(parsed, model.extra_config)))
    return [
        at_value(parsed.source, path, code, why.rstrip(".")) for path, code, why in found if why
    ]


def _host_problem(host: str) -> str | None:
    """Return why this hub must not listen there."""
    try:
        address = ipaddress.ip_address(host) if host else None
    except ValueError:
        return "`address.host` is not an IP address"
    if os.geteuid() != 0 and not (address and address.is_loopback):
        return (
            "without root all servers run under one account, so only this machine may reach them: "
            "`address.host` must be a loopback address"
        )
    return None


def _database_problem(url: str | None) -> str | None:
    try:
        make_url(url or "sqlite://")
    except ArgumentError:
        return "`database` is not a database URL"
    return None


def _namespace_problem(name: str) -> str | None:
    if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        return None
    return "`namespace` is not the name of a namespace of Kubernetes"


def _url_problem(url: str) -> str | None:
    parts = urlsplit(url)
    with contextlib.suppress(ValueError):
        if parts.scheme == "http" and parts.hostname and parts.port and parts.path in ("", "/"):
            return None
    return "`hub_url` must be an address with a port such as `http://hub:8081`"


def _file_problem(parsed: Parsed[SettingsFile], name: str | None) -> str | None:
    if name and not (Path(parsed.source.file).parent / name).is_file():
        return "`extra_config` is not a file"
    return None
