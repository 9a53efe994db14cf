"""What every Lectern spawner shares: from user options to a plan.

`CourseSpawnerMixin` is mixed into the local spawner (and later into the
Kubernetes one). It shows the profiles of a person, decides about a start with
`access.decide`, whatever path the options took, and leaves a `ServerPlan` for
the backend to carry out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jupyterhub.spawner import SpawnException
from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Instance, default, observe
from traitlets.config import Configurable

from lectern_spawner import access
from lectern_spawner.access import Grant, Person, RefusedError
from lectern_spawner.catalog import Catalog, Profile
from lectern_spawner.form import page
from lectern_spawner.plan import ServerPlan, make_plan
from lectern_spawner.words import Words, words

if TYPE_CHECKING:
    from jupyterhub.user import User


class StartRefusedError(SpawnException):
    """A refusal in the shape that JupyterHub shows without a traceback."""

    def __init__(self, refused: RefusedError, language: str) -> None:
        """Keep the sentence for the person.

        Args:
            refused: why the start is not possible.
            language: of the person, as far as known.
        """
        self.jupyterhub_message = refused.sentence(words(language))
        super().__init__(self.jupyterhub_message, reason=refused.reason, status_code=refused.status)

    def get_message(self) -> str:
        """Return nothing for tornado's own log: `User.spawn` has logged it once."""
        return ""


class CannotStartError(SpawnException):
    """A server that could not start; the text is a sentence for the person."""

    def __init__(self, sentence: str, *, reason: str, log_tail: str = "") -> None:
        """Keep what the person reads.

        Args:
            sentence: what happened.
            reason: short label for metrics.
            log_tail: the last lines of the server's log.
        """
        self.jupyterhub_message = f"{sentence}\n\n{log_tail}" if log_tail else sentence
        super().__init__(
            self.jupyterhub_message, reason=reason, log_message=sentence, status_code=500
        )


class LiveCatalog:
    """The catalog that is valid now, shared by reference by every spawner."""

    def __init__(self, catalog: Catalog, clock: Callable[[], datetime] | None = None) -> None:
        """Start with a catalog.

        Args:
            catalog: compiled from the campus folder.
            clock: gives the time, aware; the machine's local time if not set.
        """
        self.current = catalog
        self.clock = clock or (lambda: datetime.now().astimezone())

    def __deepcopy__(self, memo: dict[int, Any]) -> LiveCatalog:
        """Stay one object: traitlets copies configuration values."""
        return self

    def __repr__(self) -> str:
        """Stay short: traitlets writes configuration values to logs."""
        return f"<LiveCatalog of {len(self.current.courses)} courses>"


class CourseSpawnerMixin(Configurable):
    """Profiles of courses instead of free options."""

    live = Instance(LiveCatalog, help="The catalog of this campus; set by `lectern_hub`.").tag(
        config=True
    )
    plan = Instance(ServerPlan, allow_none=True, help="What this server was granted.")
    language = AnyTrait(None, allow_none=True, help="Language of the person who starts it.")
    admitted = Bool(False, help="Whether this server counts for its person's limit.")
    last_choice = Dict(help="The options of the last accepted start.")

    if TYPE_CHECKING:  # from jupyterhub's Spawner, which comes after this class
        user: User
        user_options: dict[str, Any]
        orm_spawner: Any
        handler: Any
        apply_user_options: Any
        log: Any

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - traits of any kind
        """Begin with the options that JupyterHub remembers: the last accepted ones."""
        super().__init__(**kwargs)
        self.last_choice = dict(self.user_options)

    @property
    def person(self) -> Person:
        """Whose server this is; also where an admin starts it."""
        groups = frozenset(group.name for group in self.user.groups)
        return Person(name=self.user.name, groups=groups, admin=bool(self.user.admin))

    @observe("user_options")
    def _keep_last_choice(self, change: Mapping[str, Any]) -> None:
        # JupyterHub stores new options before anyone has looked at them, so
        # the accepted ones are kept here to be put back after a refusal.
        old = change["old"]
        self.last_choice = dict(old) if isinstance(old, dict) else {}

    @default("options_form")
    def _options_form(self) -> Callable[[Any], str]:
        return type(self).render_form

    def render_form(self) -> str:
        """Return the profiles of this person as HTML, in the person's language."""
        spoken = self.spoken()
        return page.render(
            self.live.current,
            self.person,
            self.live.clock(),
            spoken,
            notice=self.notice(spoken),
            last=self.user_options.get("profile") if isinstance(self.user_options, dict) else None,
            notes=lambda profile: self.profile_notes(profile, spoken),
        )

    @default("options_from_form")
    def _options_from_form_default(self) -> Callable[[dict[str, list[Any]]], dict[str, Any]]:
        return self._fields

    @staticmethod
    def _fields(fields: dict[str, list[Any]]) -> dict[str, Any]:
        """Return form or query fields as options; decided about later, with the rest."""
        return {
            key: values[0] if len(values) == 1 else values
            for key, values in fields.items()
            if key != "_xsrf"
        }

    def spoken(self) -> Words:
        """Return the words of whoever looks at this server now, or did last."""
        if reader := getattr(self.handler, "spoken", None):
            self.language = reader.language
        languages = self.live.current.campus.languages
        return words(self.language if self.language in languages else languages[0])

    def notice(self, spoken: Words) -> str:
        """Return what everybody must know before they start anything here; else nothing."""
        return ""

    def profile_notes(self, profile: Profile, spoken: Words) -> list[str]:
        """Return what this machine cannot keep of a profile, for its text."""
        return []

    def decide(self, options: object, remembered: object) -> Grant:
        """Return what these options grant, the limit of servers included.

        Args:
            options: as they came in.
            remembered: the options of the last accepted start.

        Raises:
            RefusedError: with the sentence for the person.
        """
        catalog, person = self.live.current, self.person
        grant = access.decide(catalog, person, options, self.live.clock(), remembered=remembered)
        # No `await` between this count and `admitted`: two starts cannot both pass.
        access.check_limit(catalog, person, self._other_servers())
        return grant

    def _other_servers(self) -> int:
        return sum(
            1
            for other in self.user.spawners.values()
            if other is not self and other.active and getattr(other, "admitted", False)
        )

    async def _run_apply_user_options(self, user_options: object) -> None:
        """Decide about a start, the last common step of all paths.

        JupyterHub's own version of this step logs a traceback for every refusal.
        """
        try:
            grant = self.decide(user_options, self.last_choice)
        except RefusedError as refused:
            self._remember(self.last_choice)
            raise StartRefusedError(refused, self.spoken().language) from None
        self.admitted = True
        self._remember({"profile": grant.name})
        self.plan = make_plan(grant, self.person, self.live.current.campus, self.live.clock())
        self.apply_plan(self.plan)
        if self.apply_user_options:  # a site's own hook runs after us
            await super()._run_apply_user_options(self.user_options)  # type: ignore[misc]

    def _remember(self, options: dict[str, Any]) -> None:
        # JupyterHub commits next, with the start or with the clean-up after a refusal.
        self.user_options = self.orm_spawner.user_options = dict(options)
        self.last_choice = dict(options)

    def commit(self) -> None:
        """Write what changed in this server's row to JupyterHub's database."""
        session: Any = self.user.db
        session.commit()

    def apply_plan(self, plan: ServerPlan) -> None:
        """Set every resource of this server; nothing stays from an earlier start."""
        resources = {
            "cpu_limit": float(plan.cpu_limit),
            "cpu_guarantee": float(plan.cpu_guarantee),
            "mem_limit": plan.memory_limit_bytes,
            "mem_guarantee": plan.memory_guarantee_bytes,
        }
        for trait, value in resources.items():
            setattr(self, trait, value)
