"""Course files that move under a running hub, seen by people who look on meanwhile."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
import requests
from tests.support.browserless import text_of
from tests.support.catalogs import (
    BOB,
    COURSE,
    NEW_TITLE,
    TITLE,
    metrics,
    offers,
    onlookers,
    page,
    place_of,
    sees,
    state,
)
from tests.support.moves import (
    SAVES,
    Onlooker,
    in_place,
    like_git,
    looked_on,
    make_again,
    slow_checkout,
    soon,
)
from tests.support.pages import news
from tests.support.running import open_folder, running_hub
from tests.support.spoils import BREAKS, cut, no_unit, unknown_image


@pytest.fixture(scope="module")
def live(original):
    """A hub whose campus folder the tests change."""
    with open_folder() as folder:
        campus = Path(shutil.copytree(original, folder / "campus"))
        with running_hub(campus) as hub:
            state(hub)  # makes the admin's token, for which the campus must be there
            yield hub


@pytest.fixture(scope="module")
def people(live):
    return {name: live.visitor(name) for name in ("alice", "bob")}


@pytest.fixture
def campus(live, original):
    """The campus folder; made again after the test."""
    with news(live):
        yield live.campus
        make_again(live.campus, original)
        now = datetime.now().astimezone()
        soon(lambda: datetime.fromisoformat(state(live)["looked"]) > now, "a look at the old files")
        assert (state(live)["errors"], state(live)["courses"]) == (0, 4)


@pytest.mark.parametrize("way", SAVES)
def test_a_file_saved_in_any_way_is_taken_over(live, campus, people, way):
    file = campus / "ml-101.yaml"
    with looked_on(*onlookers(people)):
        SAVES[way](file, file.read_text().replace(TITLE, NEW_TITLE))
        soon(sees(people["alice"], "Learning Machines"), f"the new title, saved {way}")
        soon(lambda: state(live)["errors"] == 0, "no errors")


@pytest.mark.parametrize("spoil", BREAKS)
def test_a_broken_course_stays_as_it_was_last_right_until_it_is_mended(
    live, campus, people, original, spoil
):
    file = campus / "ml-101.yaml"
    before = offers(people["alice"])
    with news(live) as told, looked_on(*onlookers(people)):
        spoil(file)
        soon(lambda: state(live)["kept"] == ["ml-101.yaml"], "the broken file is kept")
        assert state(live)["errors"] >= 1
        assert offers(people["alice"]) == before
        assert 'lectern_catalog_errors{file="ml-101.yaml"}' in metrics(live)
        make_again(campus, original)
        soon(lambda: state(live)["errors"] == 0, "mended")
        assert 'lectern_catalog_errors{file="ml-101.yaml"}' not in metrics(live)
    told.once("ml-101.yaml has errors; its last good version stays in use\n")
    told.once("ml-101.yaml has no more errors")


def test_a_broken_course_can_still_be_started(live, campus, people):
    unknown_image(campus / "ml-101.yaml")
    soon(lambda: state(live)["kept"] == ["ml-101.yaml"], "the broken file is kept")
    alice = live.api("alice")
    assert alice.start("alice", "ml-101/notebook").status_code in (201, 202)
    alice.wait("alice")
    alice.stop("alice")


def no_campus(folder):
    (folder / "campus.yaml").unlink()


def broken_campus(folder):
    cut(folder / "campus.yaml")


def campus_without_its_image(folder):
    file = folder / "campus.yaml"
    file.write_text(file.read_text().replace("  datascience:", "  science:"))


def broken_roster(folder):
    (folder / "rosters" / "ml-101.csv").write_text("surname,town\nLi,Beijing\n")


def no_roster(folder):
    (folder / "rosters" / "ml-101.csv").unlink()


@pytest.mark.parametrize(
    "spoil", [no_campus, broken_campus, campus_without_its_image, broken_roster, no_roster]
)
def test_what_courses_refer_to_may_break_without_harm(live, campus, people, original, spoil):
    with looked_on(*onlookers(people)):
        spoil(campus)
        soon(lambda: state(live)["errors"] > 0, "the mistake is reported")
        assert state(live)["kept"]
        assert state(live)["courses"] == 4
        make_again(campus, original)
        soon(lambda: state(live)["errors"] == 0, "mended")


def test_a_folder_that_goes_away_and_comes_back_harms_nobody(live, campus, people):
    away = campus.with_name("away")
    with looked_on(*onlookers(people)):
        campus.rename(away)
        soon(lambda: state(live)["errors"] > 0, "the missing folder is reported")
        campus.mkdir()
        soon(lambda: state(live)["watching"] == "inotify", "the empty folder is watched")
        campus.rmdir()
        away.rename(campus)
        soon(lambda: state(live)["errors"] == 0, "the folder is back")
        file = campus / "ml-101.yaml"
        in_place(file, file.read_text().replace(TITLE, NEW_TITLE))
        soon(sees(people["alice"], "Learning Machines"), "changes in the folder that came back")


def test_a_new_course_appears_without_a_restart(live, campus, people):
    with news(live) as told, looked_on(*onlookers(people)):
        (campus / "new-1.yaml").write_text(COURSE.format(name="new-1", version="today"))
        soon(lambda: "new-1" in offers(people["bob"]), "the new course")
        assert "new-1" not in offers(people["alice"])
    told.once("catalog: 1 course added (new-1)")


def test_a_course_that_is_removed_is_no_longer_offered_and_its_servers_go_on(live, campus, people):
    alice = live.api("alice")
    alice.start("alice", "ml-101/notebook")
    alice.wait("alice")
    with looked_on(Onlooker(people["bob"], BOB)):
        (campus / "ml-101.yaml").unlink()
        soon(lambda: "ml-101" not in offers(people["alice"]), "the course is gone")
    assert alice.file("GET", "alice", "").status_code == 200
    assert "ml-101" in text_of(people["alice"].get("/hub/home").text)
    alice.stop("alice")
    assert alice.start("alice", "ml-101/notebook").status_code == 404


def test_a_right_that_was_taken_away_is_refused_though_the_page_is_open(live, campus, people):
    alice = people["alice"]
    assert "py-100" in offers(alice)
    file = campus / "py-100.yaml"
    like_git(file, file.read_text().replace("students: [alice, ", "students: ["))
    soon(lambda: "py-100" not in offers(live.visitor("alice")), "the right is gone")
    pressed = alice.post(
        "/hub/spawn", params={"_xsrf": alice.xsrf()}, data={"profile": "py-100/small"}
    )
    assert pressed.status_code == 404
    assert "py-100/small" in text_of(pressed.text)
    assert live.api("alice").server("alice") is None


def test_a_name_added_to_a_roster_may_log_in_at_once(live, campus):
    roster = campus / "rosters" / "ml-101.csv"
    like_git(roster, roster.read_text() + "newcomer,\n")
    soon(lambda: state(live)["people"] == 9, "one more name")
    assert "ml-101" in offers(live.visitor("newcomer"))


def git(folder, *words):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True)


def test_checkouts_between_branches_with_twenty_courses_show_no_half_state(live, campus, people):
    names = {f"git-{number}" for number in range(20)}
    bob = people["bob"]
    git(campus, "init", "-q", "-b", "spring")
    for version in ("spring", "autumn"):
        if version == "autumn":
            git(campus, "checkout", "-q", "-b", "autumn")
        for name in names:
            (campus / f"{name}.yaml").write_text(COURSE.format(name=name, version=version))
        git(campus, "add", "-A")
        git(campus, "commit", "-q", "-m", version)
    soon(sees(bob, "git-19 of autumn"), "twenty courses")
    with news(live) as told, looked_on(Onlooker(bob, BOB | names)):
        for version in ("spring", "autumn", "spring"):
            git(campus, "checkout", "-q", version)
            soon(lambda: f"of {version}" in text_of(page(bob)), version)  # noqa: B023
            shown = text_of(page(bob))
            assert all(f"{name} of {version}" in shown for name in names)
        told_of = "catalog: 20 courses changed (git-0, git-1, git-10, git-11, git-12, git-13"
    assert len([line for line in told.records if told_of in line]) == 3


def test_a_checkout_that_takes_its_time_shows_no_half_state(live, campus, people):
    names = {f"slow-{number}" for number in range(30)}
    files = [campus / f"{name}.yaml" for name in sorted(names)]
    for file in files:
        file.write_text(COURSE.format(name=file.stem, version="spring"))
    bob = people["bob"]
    soon(sees(bob, "slow-9 of spring"), "thirty courses")
    with looked_on(Onlooker(bob, BOB | names)):
        slow_checkout(files, lambda text: text.replace("spring", "autumn"))
        soon(sees(bob, "slow-9 of autumn"), "the other branch")


def test_admins_see_every_problem_with_its_lines_and_others_see_nothing(live, campus, people):
    no_unit(campus / "ml-101.yaml")
    place = place_of(campus / "ml-101.yaml", "4\n")
    soon(lambda: state(live)["errors"] == 1, "the mistake")
    admin = live.visitor("admin")
    assert "/hub/lectern/catalog" in page(admin)
    shown = admin.get("/hub/lectern/catalog")
    assert shown.status_code == 200
    read = text_of(shown.text)
    assert "error[LEC201] : `profiles.notebook.memory` needs a unit" in read
    assert f"ml-101.yaml:{place}" in read
    assert "help: write `4Gi`" in read
    assert "In use as they were last right ml-101.yaml" in read
    chinese = admin.get("/hub/lectern/catalog?lang=zh")
    assert "有些文件有错误" in text_of(chinese.text)
    for path in ("/hub/lectern/catalog", "/hub/lectern/api/v1/catalog"):
        assert people["bob"].get(path).status_code == 403
        assert requests.get(live.base + path, timeout=20, allow_redirects=False).status_code in (
            302,
            403,
        )
    assert "/hub/lectern/catalog" not in page(people["bob"])


def test_diagnostics_come_as_data_too(live, campus):
    no_unit(campus / "ml-101.yaml")
    soon(lambda: state(live)["errors"] == 1, "the mistake")
    (found,) = state(live)["diagnostics"]
    span = found["span"]
    assert found["code"] == "LEC201"
    assert f"{span['line']}:{span['col']}" == place_of(campus / "ml-101.yaml", "4\n")


def test_words_of_a_course_file_are_no_html_on_the_admins_page(live, campus):
    file = campus / "ml-101.yaml"
    file.write_text(file.read_text() + "<script>alert(1)</script>: 1\n")
    soon(lambda: state(live)["errors"] == 1, "the mistake")
    html = live.visitor("admin").get("/hub/lectern/catalog").text
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html
