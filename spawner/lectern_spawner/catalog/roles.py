"""What a person can be in a course."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person is in a course; later ones are stronger and compare as greater."""

    STUDENT = "student"
    ASSISTANT = "assistant"
    INSTRUCTOR = "instructor"

    @property
    def strength(self) -> int:
        """A number that is higher for a stronger role."""
        return _STRENGTH[self.value]

    # Without these, roles would compare like their names, by the alphabet.
    def __lt__(self, other: str) -> bool:
        """Whether this role is weaker than the other."""
        return self.strength < Role(other).strength

    def __le__(self, other: str) -> bool:
        """Whether this role is not stronger than the other."""
        return self.strength <= Role(other).strength

    def __gt__(self, other: str) -> bool:
        """Whether this role is stronger than the other."""
        return self.strength > Role(other).strength

    def __ge__(self, other: str) -> bool:
        """Whether this role is not weaker than the other."""
        return self.strength >= Role(other).strength


_STRENGTH = {role.value: strength for strength, role in enumerate(Role)}
