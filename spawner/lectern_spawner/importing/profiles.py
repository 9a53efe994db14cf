"""Carry profiles over: one for each combination of choices that can be started."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lectern_spawner.catalog.units import LONGEST_TITLE
from lectern_spawner.importing import resources
from lectern_spawner.importing.environment import Environment, environment
from lectern_spawner.importing.gpus import Gpu, Pools
from lectern_spawner.importing.hub import Found, entries, look, mapping
from lectern_spawner.importing.images import Images
from lectern_spawner.importing.ledger import Ledger
from lectern_spawner.importing.resources import Range
from lectern_spawner.importing.settings import Settings, of_hub, overridden
from lectern_spawner.importing.texts import identifier, plain, shortened
from lectern_spawner.paths import Where

MOST_COMBINATIONS = 12
_RESTRICTIONS = ("allowed_groups", "allowed_users", "access", "groups", "users")


@dataclass(slots=True, kw_only=True)
class Draft:
    """A profile that is being made."""

    id: str
    title: str
    description: str
    image: str
    cpu: Range
    memory: Range
    gpu: Gpu | None
    env: Environment
    restricted: bool
    remarks: dict[str, str] = field(default_factory=dict)
    """Key of the profile to a comment above it."""


@dataclass(frozen=True, slots=True)
class _Choice:
    name: str
    data: dict[str, object]
    where: Where


class Profiles:
    """Makes the profiles of one input."""

    def __init__(self, found: Found, images: Images, pools: Pools, ledger: Ledger) -> None:
        """Begin with no profile."""
        self.found = found
        self.images = images
        self.pools = pools
        self.ledger = ledger
        self.base = of_hub(found)
        self.made: dict[str, Draft] = {}

    def make(self) -> dict[str, Draft]:
        """Return the profiles by id, at least one."""
        listed = entries(look(self.found.data, self.found.profiles))
        for key, entry in listed:
            if isinstance(entry, dict):
                self._entry(entry, (*self.found.profiles, key))
        if not self.made:
            self._add(identifier("notebook", "notebook"), "Notebook", "", self.base, False)
        return self.made

    def _entry(self, entry: dict[str, object], where: Where) -> None:
        number = len(self.made) + 1
        title = self._text(entry, where, "display_name") or f"Profile {number}"
        description = self._text(entry, where, "description")
        options = _options(entry, where)
        combinations = list(self._combinations(options))
        settings = overridden(self.base, entry, where)
        name = self._name(entry, where, title, number)
        if entry.get("access") == "all":
            self.ledger.leave((*where, "access"), "everybody in the course may start it anyway")
        for choices in combinations:
            chosen, restricted = settings, _is_restricted(entry)
            for choice in choices:
                chosen = overridden(chosen, choice.data, choice.where)
                restricted = restricted or _is_restricted(choice.data)
            several = choices if len(combinations) > 1 else ()
            full = self._full_title(title, choices)
            id_ = identifier("-".join([name, *(c.name for c in several)]), name, self.made)
            self._note_slug(entry, where, id_)
            words = self._full_description(description, choices)
            self._add(id_, full, words, chosen, restricted)

    def _add(
        self, id_: str, title: str, description: str, settings: Settings, restricted: bool
    ) -> None:
        image, guessed = self.images.of(settings)
        key = f"profiles.{id_}"
        cpu = resources.cores(settings, f"{key}.cpu", self.ledger)
        memory = resources.memory(settings, f"{key}.memory", self.ledger)
        draft = Draft(
            id=id_,
            title=title,
            description=description,
            image=image,
            cpu=cpu,
            memory=memory,
            gpu=self.pools.of(settings, f"{key}.gpu"),
            env=environment(settings, f"{key}.env", self.ledger),
            restricted=restricted,
        )
        remarks = {
            "image": "no image was named that can be used" if guessed else "",
            "cpu": cpu.remark,
            "memory": memory.remark,
            "who": "only some groups had this profile; say who may start it" * restricted,
        }
        draft.remarks = {key: words for key, words in remarks.items() if words}
        self.made[id_] = draft

    def _text(self, entry: dict[str, object], where: Where, key: str) -> str:
        """Return a text of a profile or choice, and note what became of it."""
        value = entry.get(key)
        if value is None or isinstance(value, bool | dict | list):
            return ""
        text, place = plain(str(value)), (*where, key)
        if not text:
            self.ledger.leave(place, "is empty, or was nothing but HTML")
        elif text == str(value).strip():
            self.ledger.carry(place, "title" if key == "display_name" else key)
        else:
            self.ledger.change(place, "became one line of plain text")
        return text

    def _full_title(self, title: str, choices: Sequence[_Choice]) -> str:
        names = [self._text(c.data, c.where, "display_name") or plain(c.name) for c in choices]
        full = f"{title}: {', '.join(filter(None, names))}" if any(names) else title
        if len(full) > LONGEST_TITLE:
            for choice in choices:
                self.ledger.change((*choice.where, "display_name"), "the title became shorter")
        return shortened(full)

    def _full_description(self, description: str, choices: Sequence[_Choice]) -> str:
        words = [self._text(c.data, c.where, "description") for c in choices]
        full = "; ".join(part for part in (description, *words) if part)
        if len(full) <= LONGEST_TITLE:
            return full
        for choice in choices:
            place = (*choice.where, "description")
            self.ledger.change(place, "the description would be too long with it")
        return description

    def _name(self, entry: dict[str, object], where: Where, title: str, number: int) -> str:
        slug = entry.get("slug")
        text = slug if isinstance(slug, str) and slug.strip() else title
        return identifier(text, f"profile-{number}")

    def _note_slug(self, entry: dict[str, object], where: Where, id_: str) -> None:
        slug = entry.get("slug")
        if isinstance(slug, str) and slug.strip():
            if slug == id_:
                self.ledger.carry((*where, "slug"), f"profiles.{id_}")
            else:
                self.ledger.change((*where, "slug"), f"became `{id_}`")

    def _combinations(self, options: Sequence[Sequence[_Choice]]) -> Iterator[tuple[_Choice, ...]]:
        count = math.prod(len(choices) for choices in options)
        if count <= MOST_COMBINATIONS:
            yield from itertools.product(*options)
            return
        default = tuple(self._default(choices) for choices in options)
        for choices, chosen in zip(options, default, strict=True):
            for choice in choices:
                if choice is not chosen:
                    words = f"one of {count} combinations; only the default became a profile"
                    self.ledger.leave(choice.where, words)
        yield default

    def _default(self, choices: Sequence[_Choice]) -> _Choice:
        for choice in choices:
            if choice.data.get("default") is True:
                self.ledger.carry((*choice.where, "default"), "the combination that was made")
                return choice
        return choices[0]


def _options(entry: dict[str, object], where: Where) -> list[list[_Choice]]:
    """Return the choices of each option that has any."""
    options = []
    for key, option in entries(entry.get("profile_options")):
        choices = [
            _Choice(str(name), choice, (*where, "profile_options", key, "choices", name))
            for name, choice in entries(mapping(option).get("choices"))
            if isinstance(choice, dict)
        ]
        if choices:
            options.append(choices)
    return options


def _is_restricted(holder: dict[str, object]) -> bool:
    # Nebari says `access: all` where everybody may start a profile.
    return any(holder.get(key) not in (None, [], "", "all") for key in _RESTRICTIONS)
