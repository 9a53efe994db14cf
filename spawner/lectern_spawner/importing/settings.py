"""What a server of the other hub would get: the hub's settings, then those of its profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lectern_spawner.importing.hub import Found, entries, mapping
from lectern_spawner.paths import Where

Name = tuple[str, ...]

# KubeSpawner updates these from an override key by key; everything else is replaced.
_BY_KEY = ("environment", "extra_resource_limits", "extra_resource_guarantees")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value with the places in the input that it comes from."""

    value: object
    places: tuple[Where, ...]


Settings = Mapping[Name, Setting]


def of_hub(found: Found) -> Settings:
    """Return what every server gets before its profile is looked at."""
    settings: dict[Name, Setting] = {}
    if found.chart:
        # The chart's own default, which its users do not see in their values.
        settings["mem_guarantee",] = Setting("1G", ())
    for chart, traits in (("cpu", "cpu"), ("memory", "mem")):
        section, where = found.section("singleuser", chart)
        for key in ("limit", "guarantee"):
            if key in section:
                settings[f"{traits}_{key}",] = Setting(section[key], ((*where, key),))
    settings |= _image(*found.section("singleuser", "image"))
    for keys, trait in (
        (("extraEnv",), "environment"),
        (("extraResource", "limits"), "extra_resource_limits"),
        (("extraResource", "guarantees"), "extra_resource_guarantees"),
    ):
        section, where = found.section("singleuser", *keys)
        for key, value in section.items():
            settings[trait, key] = Setting(value, ((*where, key),))
    return settings


def _image(section: dict[str, object], where: Where) -> dict[Name, Setting]:
    name, tag = section.get("name"), section.get("tag")
    if not isinstance(name, str) or not name:
        return {}
    if tag is None or tag == "" or isinstance(tag, dict | list):
        return {("image",): Setting(name, ((*where, "name"),))}
    places = ((*where, "name"), (*where, "tag"))
    return {("image",): Setting(f"{name}:{tag}", places)}


def overridden(settings: Settings, holder: object, where: Where) -> Settings:
    """Return settings after the `kubespawner_override` of a profile or choice.

    Args:
        settings: what holds without it.
        holder: the profile or choice.
        where: its place.
    """
    result = dict(settings)
    here = (*where, "kubespawner_override")
    for key, value in mapping(mapping(holder).get("kubespawner_override")).items():
        name = "image" if key == "image_spec" else key
        if name in _BY_KEY and isinstance(value, dict):
            for inner, item in entries(value):
                result[name, str(inner)] = Setting(item, ((*here, key, inner),))
        else:
            result[name,] = Setting(value, ((*here, key),))
    return result
