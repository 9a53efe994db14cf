"""Storage, editors and the small notations of campus.yaml: what is refused, and for what."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError
from tests.support import snippets

from lectern_spawner.catalog import Diagnostic, load, moments, shares
from lectern_spawner.catalog.reading import read_text
from lectern_spawner.catalog.rules import unknown_courses
from lectern_spawner.catalog.sections.campus import CampusFile


def found(folder: Path, snippet: str) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a campus that holds a snippet."""
    snippets.write(folder, snippet)
    return load(folder).diagnostics


def codes(folder: Path, snippet: str) -> list[str]:
    """Return the codes of what is wrong."""
    return [item.code for item in found(folder, snippet)]


SYSTEM = """
    / /etc /etc/ /etc/teaching //etc /etc/../etc /srv/../etc/ssh /srv/../../root /./etc /root
    /root/data /proc /proc/1 /sys /dev /dev/shm /run /run/secrets /var/run/docker.sock /boot /usr
    /bin /sbin /lib /lib64 /var /var/lib /var/log /var/spool/cron /home /tmp /srv/.. ///
"""
ORDINARY = """
    /srv /srv/teaching /home/teaching /mnt/nas /data /opt/courses /var/lib/teaching /usr/share/maps
    /tmp/lab /etcetera /rooted /devices /srv/etc /srv/../data data ../data ./data data/etc
"""


@pytest.mark.parametrize("path", SYSTEM.split())
def test_storage_of_the_systems_own_files_is_refused(path: str, tmp_path: Path) -> None:
    text = f"# campus.yaml\nstorage: {{teaching: {{path: {path}}}}}\n"
    assert codes(tmp_path, text) == ["LEC426"]


@pytest.mark.parametrize("path", ORDINARY.split())
def test_storage_elsewhere_is_accepted(path: str, tmp_path: Path) -> None:
    assert codes(tmp_path, f"# campus.yaml\nstorage: {{teaching: {{path: {path}}}}}\n") == []


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("{}", ["LEC118"]),
        ("{quotas: true}", ["LEC118"]),
        ('{path: ""}', ["LEC105"]),
        ("{path: data, squash: all}", ["LEC117"]),
        ("{path: data, mount_options: [hard]}", ["LEC117"]),
        ("{nfs: 'nas:/export', squash: all, mount_options: [hard, nfsvers=4.1]}", []),
        ("{nfs: 'nas:/export', squash: some}", ["LEC104"]),
        ("{nfs: '[fd00::5]:/export'}", []),
        ("{nfs: '10.0.0.5:/volume1/lab'}", []),
        ("{nfs: 'nas:export'}", ["LEC217"]),
        ("{nfs: '/export'}", ["LEC217"]),
        ("{nfs: 'nas:/a b'}", ["LEC217"]),
        ("{nfs: 'nas:/a/../../etc'}", ["LEC405"]),
        ("{nfs: '-o:/export'}", ["LEC217"]),
        ("{nfs: 'nas:/export', mount_options: [dev]}", ["LEC407"]),
        ("{nfs: 'nas:/export', mount_options: [bind]}", ["LEC407"]),
        ("{nfs: 'nas:/export', mount_options: ['hard,suid']}", ["LEC218"]),
        ("{nfs: 'nas:/export', mount_options: ['hard suid']}", ["LEC218"]),
        ("{nfs: 'nas:/export', mount_options: [$(id)]}", ["LEC218"]),
        ("{nfs: 'nas:/export', mount_options: hard}", ["LEC103"]),
        ("{path: data, title: {de: Daten}}", ["LEC304"]),
    ],
)
def test_a_storage(storage: str, expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, f"# campus.yaml\nstorage: {{teaching: {storage}}}\n") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("teaching:/iris", []),
        ("teaching:/", []),
        ("teching:/iris", ["LEC302"]),
        ("teaching:iris", ["LEC206"]),
        ("teaching", ["LEC206"]),
        ("/iris", ["LEC427"]),
        ("~/iris", ["LEC427"]),
        ("file:///iris", ["LEC427"]),
        ("teaching:/../etc", ["LEC405"]),
        ("teaching:/a/../../etc", ["LEC405"]),
        ("teaching:/..iris", []),
        ('"teaching:/a\\0"', ["LEC206"]),
        ('"teaching:/a\\u202e"', ["LEC206"]),
    ],
)
@pytest.mark.parametrize("place", ["data: [{{name: iris, from: {}}}]", "shared: {{from: {}}}"])
def test_where_data_comes_from(
    place: str, source: str, expected: list[str], tmp_path: Path
) -> None:
    assert codes(tmp_path, place.format(source) + "\n") == expected


@pytest.mark.parametrize(
    ("home", "quotas", "expected"),
    [
        ("{server: teaching}", "", []),
        ("{server: teaching, quota: 20Gi}", "", ["LEC421"]),
        ("{server: teaching, quota: 20Gi}", ", quotas: false", ["LEC421"]),
        ("{server: teaching, quota: 20Gi}", ", quotas: true", []),
        ("{server: teching, quota: 20Gi}", "", ["LEC302"]),
        ("{quota: 20Gi}", ", quotas: true", ["LEC102"]),
        ("{server: teaching, quota: 20GB}", ", quotas: true", ["LEC201"]),
    ],
)
def test_a_home(home: str, quotas: str, expected: list[str], tmp_path: Path) -> None:
    text = f"# campus.yaml\nstorage: {{teaching: {{path: data{quotas}}}}}\n# art-1.yaml\n"
    assert codes(tmp_path, f"{text}home: {home}\n") == expected


@pytest.mark.parametrize(
    ("editors", "expected"),
    [
        ("{people: [chen], courses: [art-1]}", []),
        ("{people: {group: staff/art-1}, courses: [art-1], images: [], gpu_pools: []}", []),
        ("{people: {group: staff/art-2}, courses: [art-1]}", ["LEC303"]),
        ("{people: [chen], courses: [art-1], images: [datasience]}", ["LEC301"]),
        ("{people: [chen], courses: [art-1], gpu_pools: [lab]}", ["LEC307"]),
        ("{people: [chen], courses: []}", ["LEC105"]),
        ("{people: [root], courses: [art-1]}", ["LEC205"]),
        ("{courses: [art-1]}", ["LEC102"]),
        ("{people: [chen], courses: [art-1], largest: {memory: 4}}", ["LEC201"]),
        ("{people: [chen], courses: [art-1], largest: {hours: 0}}", ["LEC106"]),
    ],
)
def test_editors(editors: str, expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, f"# campus.yaml\neditors:\n  - {editors}\n") == expected


def test_a_course_that_the_campus_names_must_be_there() -> None:
    text = (
        "languages: [en]\nimages: {ds: {title: D, ref: lectern/ds:1}}\n"
        "editors: [{people: [chen], courses: [art-1, art-2]}]\n"
        "licenses: {matlab: {count: 9, reserve: {courses: {ml-1: 2, art-1: 2}}}}\n"
    )
    parsed = read_text(text, CampusFile, "campus.yaml")
    assert parsed.model is not None
    diagnostics = list(unknown_courses(parsed.model, parsed.source, ["art-1", "art-3"]))
    assert [(d.code, d.severity, d.path) for d in diagnostics] == [
        ("LEC311", "warning", "editors[0].courses[1]"),
        ("LEC311", "warning", "licenses.matlab.reserve.courses.ml-1"),
    ]


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("1/3", Fraction(1, 3)),
        ("50%", Fraction(1, 2)),
        ("33%", Fraction(33, 100)),
        ("12.5%", Fraction(1, 8)),
        (0.5, Fraction(1, 2)),
        (0.29, Fraction(29, 100)),
        (0.125, Fraction(1, 8)),
        (0.0625, Fraction(1, 16)),
        (1, Fraction(1)),
        (1.0, Fraction(1)),
        ("4/4", Fraction(1)),
    ],
)
def test_a_share_is_exact(written: object, exact: Fraction) -> None:
    assert shares.share(written) == exact


@pytest.mark.parametrize(
    ("written", "code", "help_"),
    [
        (0.3333, "LEC214", "write `1/3`"),
        (0.667, "LEC214", "write `2/3`"),
        (0.001, "LEC214", "write for example `1/16`"),
        ("half", "LEC214", "write for example `1/2` or `50%`"),
        ("1/0", "LEC214", "write for example `1/2` or `50%`"),
        ("-1/2", "LEC214", "write for example `1/2` or `50%`"),
        (True, "LEC214", "write for example `1/2` or `50%`"),
        (None, "LEC214", "write for example `1/2` or `50%`"),
        (float("nan"), "LEC214", "write for example `1/2` or `50%`"),
        (float("inf"), "LEC214", "write for example `1/2` or `50%`"),
        (1e300, "LEC214", "write for example `1/2` or `50%`"),
        (0, "LEC106", ""),
        (-0.5, "LEC106", ""),
        ("3/2", "LEC106", ""),
        (2, "LEC106", "write `count: 2`"),
        ("200%", "LEC106", "write `count: 2`"),
    ],
)
def test_a_share_that_is_none_is_mended_where_one_was_meant(
    written: object, code: str, help_: str
) -> None:
    with pytest.raises(PydanticCustomError) as raised:
        shares.share(written)
    assert raised.value.type == code
    assert raised.value.context is not None
    assert raised.value.context["help"] == help_


@given(st.integers(1, 999), st.integers(1, 999))
def test_every_fraction_up_to_one_is_a_share(part: int, whole: int) -> None:
    part, whole = sorted((part, whole))
    assert shares.share(f"{part}/{whole}") == Fraction(part, whole)


@given(st.integers(0, 100), st.integers(0, 99))
def test_a_percentage_is_never_rounded(whole: int, hundredths: int) -> None:
    if whole < 100:
        exact = Fraction(whole * 100 + hundredths, 10_000)
        assert shares.percent(f"{whole}.{hundredths:02}%") == exact


@given(st.sets(st.integers(1, moments.MOST_WEEKS), min_size=1))
def test_weeks_written_one_by_one_are_read_in_order(weeks: set[int]) -> None:
    assert moments.weeks(", ".join(str(week) for week in weeks)) == tuple(sorted(weeks))


@given(st.text(max_size=30) | st.integers() | st.floats() | st.none() | st.booleans())
def test_no_text_or_number_makes_a_notation_fail_with_a_traceback(value: object) -> None:
    readers = (
        shares.share, shares.percent, moments.duration, moments.offset, moments.clock,
        moments.date_time, moments.weeks, moments.periods,
    )  # fmt: skip
    for reader in readers:
        with contextlib.suppress(PydanticCustomError):
            reader(value)
