"""Campus folders that are links, volumes or far away, and very many courses."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import requests
from ruamel.yaml import YAML
from tests.local.test_ordinary_user import UID, as_somebody
from tests.support.catalogs import ALICE, BOB, COURSE, NEW_TITLE, TITLE, sees, state
from tests.support.moves import Onlooker, config_map, like_git, looked_on, soon
from tests.support.pages import news
from tests.support.running import ROOT, open_folder, running_hub
from tests.support.spoils import unknown_image


def test_a_folder_that_kubernetes_fills_is_followed(original):
    with open_folder() as place:
        source = place / "source"
        shutil.copytree(original, source)
        campus = place / "mounted"
        campus.mkdir()
        config_map(campus, "2026_1", source)
        with running_hub(campus) as hub, news(hub):
            alice, bob = hub.visitor("alice"), hub.visitor("bob")
            with looked_on(Onlooker(bob, BOB), Onlooker(hub.visitor("alice"), ALICE)):
                for number, title in enumerate(["First", "Second", "Third"], 2):
                    file = source / "ml-101.yaml"
                    text = (original / "ml-101.yaml").read_text()
                    file.write_text(text.replace(TITLE, f"en: {title},"))
                    config_map(campus, f"2026_{number}", source)
                    soon(sees(alice, title), f"version {number}")


def test_a_link_to_the_folder_may_be_turned_to_another_release(original):
    with open_folder() as place:
        for number, title in enumerate([TITLE, NEW_TITLE], 1):
            release = shutil.copytree(original, place / f"release-{number}")
            file = Path(release) / "ml-101.yaml"
            file.write_text(file.read_text().replace(TITLE, title))
        (place / "current").symlink_to("release-1")
        with running_hub(place / "current") as hub, news(hub):
            alice = hub.visitor("alice")
            with looked_on(Onlooker(hub.visitor("bob"), BOB)):
                (place / "next").symlink_to("release-2")
                (place / "next").replace(place / "current")
                soon(sees(alice, "Learning Machines"), "the other release")
                file.write_text(file.read_text().replace(NEW_TITLE, "en: Third,"))
                soon(sees(alice, "Third"), "a change in the other release")


def test_a_hub_that_is_told_to_poll_finds_changes_too(original):
    with open_folder() as place:
        campus = Path(shutil.copytree(original, place / "campus"))
        (place / "lectern.yaml").write_text("catalog: {watch: poll, every: 1s}\n")
        with running_hub(campus) as hub, news(hub):
            alice = hub.visitor("alice")
            assert state(hub)["watching"] == "polling"
            file = campus / "ml-101.yaml"
            with looked_on(Onlooker(hub.visitor("bob"), BOB)):
                like_git(file, file.read_text().replace(TITLE, NEW_TITLE))
                soon(sees(alice, "Learning Machines"), "the change")
                unknown_image(file)
                soon(lambda: state(hub)["kept"] == ["ml-101.yaml"], "the mistake")


def test_rights_that_are_lost_for_a_while_harm_nobody(original):
    with open_folder(UID) as home:
        campus = Path(shutil.copytree(original, home / "campus"))
        for path in (campus, *campus.rglob("*")):
            os.chown(path, UID, UID)
        file = campus / "ml-101.yaml"
        with running_hub(campus, run_as=as_somebody(home), owner=UID) as hub, news(hub):
            alice = hub.visitor("alice")
            state(hub)
            with looked_on(Onlooker(hub.visitor("bob"), BOB), Onlooker(alice, ALICE)):
                for closed, mode in ((file, 0o644), (campus, 0o755)):
                    closed.chmod(0)
                    soon(lambda: state(hub)["errors"] > 0, f"{closed.name} is reported")
                    closed.chmod(mode)
                    soon(lambda: state(hub)["errors"] == 0, f"{closed.name} is open again")


def test_a_reload_of_five_hundred_courses_leaves_the_hub_answering(original):
    with open_folder() as place:
        for number, version in enumerate(["spring", "autumn"], 1):
            release = Path(shutil.copytree(original, place / f"release-{number}"))
            for name in (f"many-{number}" for number in range(500)):
                text = COURSE.format(name=name, version=version).replace("[bob]", "[carol]")
                (release / f"{name}.yaml").write_text(text)
        (place / "current").symlink_to("release-1")
        with running_hub(place / "current") as hub, news(hub) as told:
            answers, before = [], state(hub)["revision"]
            with looked_on(Onlooker(hub.visitor("bob"), BOB)):
                (place / "next").symlink_to("release-2")
                (place / "next").replace(place / "current")
                while state(hub)["revision"] == before:
                    answers += [
                        requests.get(f"{hub.base}/hub/health", timeout=20) for _ in range(9)
                    ]
            took = state(hub)["took_seconds"]
            assert {answer.status_code for answer in answers} == {200}
        told.once("500 courses changed (many-0, ")
        slowest = max(answer.elapsed.total_seconds() for answer in answers)
        print(
            f"500 courses read in {took} s; slowest of {len(answers)} answers: {slowest * 1000:.0f} ms"
        )


def test_settings_say_how_to_look(tmp_path):
    """The example in the guide is the one that is tested above."""
    guide = (ROOT / "docs" / "admin-guide.md").read_text()
    shown = guide.partition("```yaml\n")[2].partition("```")[0]
    assert YAML(typ="safe").load(shown)["catalog"] == {"watch": "auto", "every": "5s"}
