"""When the hub looks at its course files, and what it says about them."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
from contextlib import aclosing
from pathlib import Path

import pytest

from lectern_hub.live import moments, news, report
from lectern_hub.live.moments import Moments
from lectern_hub.live.paths import traces, ways
from lectern_spawner.catalog import Shelf

PROFILES = Path(__file__).resolve().parents[3] / "profiles"
LOG = logging.getLogger("test")


@pytest.fixture
def campus(tmp_path):
    return Path(shutil.copytree(PROFILES, tmp_path / "campus"))


def clock(campus, *, poll=False, every_seconds=0.05):
    return Moments(campus, tuple, poll=poll, every_seconds=every_seconds, log=LOG)


async def told(clock, act):
    """Return whether a look is due after an act; the look at the start is not counted."""
    async with aclosing(clock.all()) as all_moments:
        await asyncio.wait_for(anext(all_moments), 10)
        act()
        try:
            await asyncio.wait_for(anext(all_moments), 2)
        except TimeoutError:
            return False
        return True


def write(file):
    return lambda: file.write_text("x: 1\n")


def remove(path):
    return lambda: shutil.rmtree(path)


async def test_a_course_file_that_is_written_is_a_reason_to_look(campus):
    assert await told(clock(campus), write(campus / "ml-101.yaml"))
    assert await told(clock(campus), write(campus / "new-1.yaml"))
    assert await told(clock(campus), write(campus / "rosters" / "new.csv"))
    assert await told(clock(campus), remove(campus / "rosters"))


@pytest.mark.parametrize("name", [".ml-101.yaml.swp", "ml-101.yaml~", "notes.txt", "data/big.bin"])
async def test_what_editors_and_others_leave_beside_is_no_reason(campus, name):
    assert not await told(clock(campus), write(campus / name))


async def test_a_link_that_is_turned_anywhere_on_the_way_is_a_reason(tmp_path, campus):
    for number in (1, 2):
        shutil.copytree(PROFILES, tmp_path / f"release-{number}")
    (tmp_path / "stage").symlink_to("release-1")
    (tmp_path / "current").symlink_to("stage")

    def turn():
        (tmp_path / "next").symlink_to("release-2")
        (tmp_path / "next").replace(tmp_path / "stage")

    assert await told(clock(tmp_path / "current"), turn)


async def test_inotify_that_fails_is_replaced_by_looking_and_said_once(campus, monkeypatch, caplog):
    def used_up(*paths, **how):
        raise OSError(errno.ENOSPC, "OS file watch limit reached")

    monkeypatch.setattr(moments, "awatch", used_up)
    polled = clock(campus)
    async with aclosing(polled.all()) as all_moments:
        for _ in range(3):
            await asyncio.wait_for(anext(all_moments), 10)
    assert polled.how == "polling"
    (said,) = [r.message for r in caplog.records if "watch limit reached" in r.message]
    assert said.endswith("OS file watch limit reached); looking every 0.05 s instead")


async def test_a_folder_that_goes_while_the_watch_begins_costs_no_time(campus, monkeypatch):
    real, calls = moments.awatch, []

    def gone(*paths, **how):
        calls.append(paths)
        if len(calls) > 2:
            return real(*paths, **how)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(moments, "awatch", gone)
    watched = clock(campus, every_seconds=60)
    assert await told(watched, lambda: None)
    assert watched.how == "inotify"


@pytest.mark.parametrize("kind", ["nfs4", "fuse.sshfs", "fuse"])
async def test_a_network_file_system_is_looked_at(campus, monkeypatch, caplog, kind):
    monkeypatch.setattr(moments, "file_system", lambda folder: kind)
    polled = clock(campus)
    async with aclosing(polled.all()) as all_moments:
        await asyncio.wait_for(anext(all_moments), 10)
    assert polled.how == "polling"
    assert f"lies on {kind}" in caplog.text


async def test_a_folder_that_comes_back_is_watched_again(tmp_path, campus):
    watched, away = clock(campus), tmp_path / "away"
    async with aclosing(watched.all()) as all_moments:
        await asyncio.wait_for(anext(all_moments), 10)
        campus.rename(away)
        await asyncio.wait_for(anext(all_moments), 10)
        away.rename(campus)
        for _ in range(200):
            await asyncio.wait_for(anext(all_moments), 10)
            if watched.how == "inotify":
                break
        (campus / "ml-101.yaml").unlink()
        await asyncio.wait_for(anext(all_moments), 10)
    assert watched.how == "inotify"


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert ways(tmp_path / "a", ()).folders


def test_a_change_that_keeps_size_and_time_leaves_a_trace(campus):
    file = campus / "ml-101.yaml"
    before, times = traces(campus, ()), file.stat()
    file.write_text(file.read_text().replace("memory: 1Gi", "memory: 2Gi"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert traces(campus, ()) != before


def looks(campus, *changes):
    """Return the first look, and one after each change."""
    shelf = Shelf(campus)
    found = [shelf.load()]
    for change in changes:
        change()
        found.append(shelf.refresh())
    return found


def test_a_change_is_told_by_the_names_of_the_courses(campus):
    text = (campus / "ml-101.yaml").read_text()

    def change():
        (campus / "ml-101.yaml").write_text(text.replace("memory: 1Gi", "memory: 2Gi"))
        (campus / "ml-102.yaml").write_text(text.replace("ml-101", "ml-102", 1))
        (campus / "py-100.yaml").unlink()

    told_of = news.between(*looks(campus, change))
    assert told_of.changes() == (
        "1 course changed (ml-101), 1 course added (ml-102), 1 course removed (py-100)"
    )


def test_nothing_new_is_told_of_nothing(campus):
    first, second = looks(campus, lambda: (campus / "ml-101.yaml").touch())
    assert not news.between(first, second).is_any


def test_a_problem_is_told_once_and_its_end_too(campus):
    file = campus / "ml-101.yaml"
    text = file.read_text()
    first, broken, same, mended = looks(
        campus,
        lambda: file.write_text(text.replace("1Gi", "1", 1)),
        file.touch,
        lambda: file.write_text(text),
    )
    (found,) = news.between(first, broken).problems.values()
    assert news.problems(found, kept=True).startswith(
        f"catalog: {file} has errors; its last good version stays in use\n{found[0].file}:"
    )
    assert not news.between(broken, same).is_any
    assert news.between(broken, mended).mended == (str(file),)
    assert news.errors(broken, campus) == {"ml-101.yaml": 1}


def test_the_page_has_the_colours_and_widths_of_a_terminal(campus):
    (campus / "ml-101.yaml").write_text("课程: 1 # <b>\n")
    html = report.markup(Shelf(campus).load().diagnostics, campus)
    assert '<span class="lectern-error">error[LEC101]</span>' in html
    assert '<span class="lectern-wide">课</span>' in html
    assert '<span class="lectern-frame">--&gt; </span>ml-101.yaml:1:1\n' in html
    assert "\x1b" not in html
    assert "<b>" not in html
