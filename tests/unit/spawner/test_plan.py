"""A granted profile becomes a plan in bytes, cores and seconds."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest

from lectern_spawner.access import Person, decide
from lectern_spawner.plan import gives, make_plan
from lectern_spawner.words import words

from .conftest import IN_TERM

GI = 2**30


@pytest.fixture
def plan(catalog, alice):
    grant = decide(catalog, alice, {"profile": "ml-101/big"}, IN_TERM)
    return make_plan(grant, alice, catalog.campus, IN_TERM)


def test_a_plan_is_in_bytes_cores_and_seconds(plan):
    assert (plan.cpu_guarantee, plan.cpu_limit) == (Fraction(1, 2), Fraction(2))
    assert (plan.memory_guarantee_bytes, plan.memory_limit_bytes) == (GI, 4 * GI)
    assert plan.seconds_left == 54 * 86400 + 12 * 3600 - 1
    assert plan.image == "lectern/base:1"


def test_a_plan_cannot_be_changed(plan):
    with pytest.raises(FrozenInstanceError):
        plan.cpu_limit = Fraction(64)
    with pytest.raises(TypeError):
        plan.env["X"] = "y"


def test_data_lies_under_its_storage(plan, campus_folder):
    (item,) = plan.data
    assert item.path == campus_folder.resolve() / "data/sets/iris"


def test_environment_is_passed_as_written_and_ours_is_added(catalog):
    bob = Person(name="bob")
    grant = decide(catalog, bob, {"profile": "ml-101/notebook"}, IN_TERM)
    env = make_plan(grant, bob, catalog.campus, IN_TERM).env
    assert env == {
        "MODE": "{x} %s",
        "LECTERN_COURSE": "ml-101",
        "LECTERN_PROFILE": "notebook",
        "LECTERN_APP": "jupyter",
    }


def test_a_course_without_end_has_no_seconds_left(catalog, alice):
    grant = decide(catalog, alice, {"profile": "py-100/notebook"}, IN_TERM)
    assert make_plan(grant, alice, catalog.campus, IN_TERM).seconds_left is None


def test_what_a_server_gives_is_said_in_words():
    assert gives(Fraction(2), 4 * GI, words("en")) == "2 CPU, 4 GiB"
    assert gives(Fraction(1, 2), GI // 2, words("zh")) == "0.5 核 CPU，512 MiB"
