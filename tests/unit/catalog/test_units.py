"""Amounts become exact numbers, and what is ambiguous is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from pydantic_core import PydanticCustomError

from lectern_spawner.catalog import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [("512Mi", 512 * 2**20), ("2Gi", 2**31), ("1Ti", 2**40), ("1024Ki", 2**20)],
)
def test_memory_is_whole_bytes(text: str, expected: int) -> None:
    assert units.memory_bytes(text) == expected


@pytest.mark.parametrize(
    ("value", "help_"),
    [
        (4, "write `4Gi`"),
        (4096, "write `4096Mi`"),
        ("4G", "write `4Gi`"),
        ("4GB", "write `4Gi`"),
        ("512 mi", "write `512Mi`"),
        ("1.5Gi", "write for example `2Gi`"),
        (True, "write for example `2Gi`"),
        (None, "write for example `2Gi`"),
        ("٤Gi", "write for example `2Gi`"),
    ],
)
def test_unclear_memory_is_refused_with_a_repair(value: object, help_: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        units.memory_bytes(value)
    assert caught.value.type == "LEC201"
    assert caught.value.context is not None
    assert caught.value.context["help"] == help_


@pytest.mark.parametrize("value", ["0Gi", "9999999Ti"])
def test_impossible_memory_is_refused(value: str) -> None:
    with pytest.raises(PydanticCustomError, match="more than 0"):
        units.memory_bytes(value)


@pytest.mark.parametrize(
    ("value", "expected"), [(1, Fraction(1)), (0.1, Fraction(1, 10)), (2.125, Fraction(17, 8))]
)
def test_cores_are_exact(value: float, expected: Fraction) -> None:
    assert units.cores(value) == expected


@pytest.mark.parametrize(
    "value", [0, 0.05, -1, 513, 1.0001, float("nan"), float("inf"), "1", True, None, [1]]
)
def test_other_cores_are_refused(value: object) -> None:
    with pytest.raises(PydanticCustomError):
        units.cores(value)


@pytest.mark.parametrize(
    "ref",
    [
        "a",
        "lectern/datascience:1",
        "registry.example.org:5000/team/image_x:v1.2-rc",
        "a@sha256:" + "0" * 64,
    ],
)
def test_an_image_reference_is_accepted(ref: str) -> None:
    assert units.image_reference(ref) == ref


@pytest.mark.parametrize("ref", ["", "A", "a b", "a:", "a@sha256:0", "/a", "a//b", "a\n", "../a"])
def test_another_image_reference_is_refused(ref: str) -> None:
    with pytest.raises(PydanticCustomError):
        units.image_reference(ref)


@pytest.mark.parametrize(
    "name",
    ["PATH", "LD_PRELOAD", "JUPYTERHUB_API_TOKEN", "LECTERN_COURSE", "PYTHONPATH", "a", "1A"],
)
def test_a_variable_of_the_platform_is_refused(name: str) -> None:
    with pytest.raises(PydanticCustomError):
        units.environment_name(name)


@pytest.mark.parametrize("value", ["a--b", "a-", "-a", "1a", "A", "a" * 31, "", "a\n", "ä"])
def test_other_ids_are_refused(value: str) -> None:
    with pytest.raises(PydanticCustomError):
        units.identifier(value)


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\u202eb", "a\u2028b", "x" * 201, 3])
def test_other_titles_are_refused(value: object) -> None:
    with pytest.raises(PydanticCustomError):
        units.title(value)


def test_a_title_may_have_any_writing() -> None:
    assert units.title(" 机器学习 👩\u200d💻 ") == "机器学习 👩\u200d💻"


@pytest.mark.parametrize("value", ["/a", "t:a", "t:/../a", "t:/a/..", "T:/a", "t:/a\n", "t"])
def test_other_places_of_data_are_refused(value: str) -> None:
    with pytest.raises(PydanticCustomError):
        units.data_source(value)
