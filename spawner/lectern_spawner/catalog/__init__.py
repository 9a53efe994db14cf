"""The catalog: a campus's YAML files, checked, as immutable data.

The hub and its services, the plan and the command line read it through `load`, and a
running hub through a `Shelf`;
`reading.read_model` is the engine, for other files with the same diagnostics.
"""

from __future__ import annotations

from lectern_spawner.catalog.diagnostics import CatalogError, Diagnostic
from lectern_spawner.catalog.loader import Loaded
from lectern_spawner.catalog.model import (
    Amount,
    Campus,
    Catalog,
    Course,
    DataSet,
    Image,
    Limits,
    People,
    Profile,
    Storage,
    Text,
)
from lectern_spawner.catalog.roles import Role
from lectern_spawner.catalog.shelf import Shelf, load

__all__ = [
    "Amount",
    "Campus",
    "Catalog",
    "CatalogError",
    "Course",
    "DataSet",
    "Diagnostic",
    "Image",
    "Limits",
    "Loaded",
    "People",
    "Profile",
    "Role",
    "Shelf",
    "Storage",
    "Text",
    "load",
]
