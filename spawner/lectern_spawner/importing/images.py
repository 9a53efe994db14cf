"""Carry image references over into the campus's list of images."""

from __future__ import annotations

from lectern_spawner.catalog import units
from lectern_spawner.importing.ledger import Ledger
from lectern_spawner.importing.settings import Setting, Settings
from lectern_spawner.importing.texts import identifier

# The image of the example campus: profiles need one, and this file names none.
FALLBACK = "lectern/datascience:1"


class Images:
    """The images of the campus that is being made, each with an id."""

    def __init__(self, ledger: Ledger) -> None:
        """Begin with no image."""
        self.ledger = ledger
        self.by_ref: dict[str, str] = {}
        self.guessed = False
        """Whether the fallback is among them."""

    def of(self, settings: Settings) -> tuple[str, bool]:
        """Return the id of a server's image, and whether it had to be guessed."""
        setting = settings.get(("image",))
        ref = self._reference(setting)
        if setting is None or ref is None:
            self.guessed = True
            return self._id(FALLBACK), True
        name = self._id(ref)
        for place in setting.places:
            self.ledger.carry(place, f"campus.yaml: images.{name}.ref")
        return name, False

    def _reference(self, setting: Setting | None) -> str | None:
        if setting is None or setting.value in (None, ""):
            return None
        ref = str(setting.value).strip()
        try:
            return units.image_reference(ref)
        except ValueError:
            for place in setting.places:
                self.ledger.leave(place, "is not a reference of an image; name one by hand")
            return None

    def _id(self, ref: str) -> str:
        if ref not in self.by_ref:
            last = ref.partition("@")[0].rsplit("/", 1)[-1].partition(":")[0]
            self.by_ref[ref] = identifier(last, "image", self.by_ref.values())
        return self.by_ref[ref]
