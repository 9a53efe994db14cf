"""A campus folder that changes under a running hub: what stays, what comes, what is told."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
from pathlib import Path

import pytest

from lectern_spawner.catalog import Catalog, Course, Loaded, Shelf, load, reading
from lectern_spawner.catalog.roles import Role

CAMPUS = """languages: [en]
images: {ds: {title: Data, ref: lectern/ds:1}, old: {title: Old, ref: lectern/old:1}}
limits: {largest: {cpu: 4, memory: 8Gi}}
"""


def course(name: str, title: str = "Drawing", image: str = "ds", students: str = "[alice]") -> str:
    return (
        f"course: {name}\ntitle: {title}\ninstructors: [chen]\nstudents: {students}\n"
        f"profiles:\n  p: {{title: P, image: {image}, cpu: 1, memory: 1Gi}}\n"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "profiles"
    (place / "rosters").mkdir(parents=True)
    (place / "campus.yaml").write_text(CAMPUS)
    (place / "art-1.yaml").write_text(course("art-1"))
    (place / "bio-2.yaml").write_text(course("bio-2", students="{csv: rosters/bio.csv}"))
    (place / "rosters" / "bio.csv").write_text("name\nbob\neve\n")
    return place


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    made = Shelf(folder)
    assert made.load().diagnostics == ()
    return made


def catalog(loaded: Loaded) -> Catalog:
    return loaded.require()


def codes(loaded: Loaded) -> set[str]:
    return {item.code for item in loaded.diagnostics}


def kept(loaded: Loaded) -> set[str]:
    return {Path(name).name for name in loaded.kept}


def students(loaded: Loaded, name: str) -> frozenset[str]:
    return catalog(loaded).courses[name].people[Role.STUDENT].names


BREAKAGES = {
    "empty": "",
    "truncated": "course: art-1\ntitle: {en: Dra",
    "wrong": course("art-1", image="nothing"),
    "tab": "course:\n\tx: 1\n",
    "half": "course: art-1\ntitle: Drawing\n",
}


@pytest.mark.parametrize("text", BREAKAGES.values(), ids=BREAKAGES)
def test_a_broken_course_keeps_its_last_good_version_and_says_so(
    folder: Path, shelf: Shelf, text: str
) -> None:
    (folder / "art-1.yaml").write_text(text)
    (folder / "bio-2.yaml").write_text(course("bio-2", title="Cells"))
    loaded = shelf.refresh()
    assert catalog(loaded).courses["art-1"].title.get("en") == "Drawing"
    assert catalog(loaded).courses["bio-2"].title.get("en") == "Cells"
    assert kept(loaded) == {"art-1.yaml"}
    assert {Path(item.file).name for item in loaded.diagnostics} == {"art-1.yaml"}


def test_a_mended_course_is_picked_up(folder: Path, shelf: Shelf) -> None:
    (folder / "art-1.yaml").write_text("")
    assert kept(shelf.refresh()) == {"art-1.yaml"}
    (folder / "art-1.yaml").write_text(course("art-1", title="Painting"))
    loaded = shelf.refresh()
    assert catalog(loaded).courses["art-1"].title.get("en") == "Painting"
    assert (loaded.kept, loaded.diagnostics) == ((), ())


@pytest.mark.parametrize("kind", ["folder", "dangling", "bytes"])
def test_a_course_that_cannot_be_read_keeps_its_last_good_version(
    folder: Path, shelf: Shelf, kind: str
) -> None:
    file = folder / "art-1.yaml"
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "dangling":
        file.symlink_to("nowhere.yaml")
    else:
        file.write_bytes(b"course: \xff\n")
    loaded = shelf.refresh()
    assert set(catalog(loaded).courses) == {"art-1", "bio-2"}
    assert kept(loaded) == {"art-1.yaml"}
    assert codes(loaded) <= {"LEC004", "LEC006"}


def test_a_deleted_course_is_gone_and_a_new_one_is_there(folder: Path, shelf: Shelf) -> None:
    (folder / "art-1.yaml").unlink()
    (folder / "zoo-3.yaml").write_text(course("zoo-3"))
    loaded = shelf.refresh()
    assert set(catalog(loaded).courses) == {"bio-2", "zoo-3"}
    assert (loaded.kept, loaded.diagnostics) == ((), ())


def test_a_new_course_with_errors_is_not_offered_and_nothing_is_kept(
    folder: Path, shelf: Shelf
) -> None:
    (folder / "zoo-3.yaml").write_text(course("zoo-3", image="nothing"))
    loaded = shelf.refresh()
    assert set(catalog(loaded).courses) == {"art-1", "bio-2"}
    assert (loaded.kept, codes(loaded)) == ((), {"LEC301"})


def test_a_change_of_the_same_size_in_the_same_second_is_seen(folder: Path, shelf: Shelf) -> None:
    file = folder / "art-1.yaml"
    before = file.stat()
    file.write_text(course("art-1", title="Welding"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert catalog(shelf.refresh()).courses["art-1"].title.get("en") == "Welding"


def test_only_a_changed_file_is_parsed_again(
    folder: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    read_text = reading.read_text

    def spy(text, model, file):  # type: ignore[no-untyped-def]
        parsed.append(Path(file).name)
        return read_text(text, model, file)

    monkeypatch.setattr(reading, "read_text", spy)
    shelf.refresh()
    (folder / "bio-2.yaml").write_text(course("bio-2"))
    shelf.refresh()
    assert parsed == ["bio-2.yaml"]


def test_without_a_change_the_catalog_is_the_same_object(folder: Path, shelf: Shelf) -> None:
    first = catalog(shelf.refresh())
    os.utime(folder / "art-1.yaml")
    assert catalog(shelf.refresh()) is first
    (folder / "art-1.yaml").write_text(course("art-1", title="Painting"))
    second = catalog(shelf.refresh())
    assert second is not first
    assert second.courses["bio-2"] is first.courses["bio-2"]


@pytest.mark.parametrize("name", [".", "campus.yaml"])
def test_a_vanished_folder_or_campus_keeps_everything(
    folder: Path, shelf: Shelf, name: str
) -> None:
    if name == ".":
        shutil.rmtree(folder)
    else:
        (folder / "campus.yaml").unlink()
        (folder / "art-1.yaml").unlink()
    loaded = shelf.refresh()
    assert set(catalog(loaded).courses) == {"art-1", "bio-2"}
    assert {"campus.yaml", "art-1.yaml"} <= kept(loaded)
    assert codes(loaded) == {"LEC006"}


def test_a_folder_that_comes_back_is_taken_as_it_is_then(
    folder: Path, shelf: Shelf, tmp_path: Path
) -> None:
    folder.rename(tmp_path / "away")
    shelf.refresh()
    (tmp_path / "away" / "art-1.yaml").unlink()
    (tmp_path / "away").rename(folder)
    loaded = shelf.refresh()
    assert set(catalog(loaded).courses) == {"bio-2"}
    assert loaded.kept == ()


@pytest.mark.parametrize("text", ["", "languages: [en", "languages: [xx]\nimages: {}\n"])
def test_a_broken_campus_stays_as_it_was_while_courses_go_on(
    folder: Path, shelf: Shelf, text: str
) -> None:
    (folder / "campus.yaml").write_text(text)
    (folder / "art-1.yaml").write_text(course("art-1", title="Painting", image="old"))
    loaded = shelf.refresh()
    assert kept(loaded) == {"campus.yaml"}
    assert set(catalog(loaded).campus.images) == {"ds", "old"}
    assert catalog(loaded).courses["art-1"].title.get("en") == "Painting"
    assert all(Path(item.file).name == "campus.yaml" for item in loaded.diagnostics)


def test_a_campus_that_would_break_a_course_is_held_back_as_a_whole(
    folder: Path, shelf: Shelf
) -> None:
    text = CAMPUS.replace("ds: {", "new: {").replace("cpu: 4", "cpu: 2")
    (folder / "campus.yaml").write_text(text)
    for _ in range(2):
        loaded = shelf.refresh()
        assert set(catalog(loaded).courses) == {"art-1", "bio-2"}
        assert catalog(loaded).campus.limits.largest.cpu == 4
        assert kept(loaded) == {"campus.yaml"}
        (problem,) = loaded.diagnostics
        assert problem.is_error
        assert "breaks courses `art-1`, `bio-2`" in problem.message
        assert [note.message for note in problem.notes] == [
            "art-1.yaml: unknown image `ds`",
            "bio-2.yaml: unknown image `ds`",
        ]


def test_a_held_campus_is_taken_once_the_courses_have_followed(folder: Path, shelf: Shelf) -> None:
    (folder / "campus.yaml").write_text(CAMPUS.replace("ds: {", "new: {"))
    shelf.refresh()
    (folder / "art-1.yaml").write_text(course("art-1", image="new"))
    loaded = shelf.refresh()
    # Until the other course has followed too, the new version fits no campus in use.
    assert kept(loaded) == {"campus.yaml", "art-1.yaml"}
    (folder / "bio-2.yaml").write_text(course("bio-2", image="new"))
    loaded = shelf.refresh()
    assert (loaded.kept, loaded.diagnostics) == ((), ())
    assert catalog(loaded).courses["art-1"].profiles["p"].image == "new"


def test_campus_and_course_may_change_together(folder: Path, shelf: Shelf) -> None:
    (folder / "campus.yaml").write_text(CAMPUS.replace("old: {", "new: {"))
    (folder / "art-1.yaml").write_text(course("art-1", image="new"))
    loaded = shelf.refresh()
    assert (loaded.kept, loaded.diagnostics) == ((), ())


def test_a_course_that_is_broken_anyway_does_not_hold_a_campus_back(
    folder: Path, shelf: Shelf
) -> None:
    (folder / "zoo-3.yaml").write_text(course("zoo-3", image="old", title="[]"))
    (folder / "art-1.yaml").write_text("")
    (folder / "campus.yaml").write_text(CAMPUS.replace("old: {", "new: {"))
    loaded = shelf.refresh()
    assert set(catalog(loaded).campus.images) == {"ds", "new"}
    assert kept(loaded) == {"art-1.yaml"}


BROKEN_ROSTERS = {
    "empty": b"",
    "no-name": b"id\nbob\n",
    "root": b"name\nroot\n",
    "latin-1": b"name\nz\xe9\n",
    "formula": b"name\n=1+1\n",
}


@pytest.mark.parametrize("content", BROKEN_ROSTERS.values(), ids=BROKEN_ROSTERS)
def test_a_broken_roster_keeps_the_people_of_its_course(
    folder: Path, shelf: Shelf, content: bytes
) -> None:
    (folder / "rosters" / "bio.csv").write_bytes(content)
    (folder / "bio-2.yaml").write_text(course("bio-2", "Cells", students="{csv: rosters/bio.csv}"))
    loaded = shelf.refresh()
    assert students(loaded, "bio-2") == {"bob", "eve"}
    assert catalog(loaded).courses["bio-2"].title.get("en") == "Cells"
    assert kept(loaded) == {"bio.csv"}
    assert {Path(item.file).name for item in loaded.diagnostics} == {"bio.csv"}
    (folder / "rosters" / "bio.csv").write_text("name\neve\n")
    assert students(shelf.refresh(), "bio-2") == {"eve"}


def test_a_roster_that_is_gone_keeps_the_people_of_its_course(folder: Path, shelf: Shelf) -> None:
    (folder / "rosters" / "bio.csv").unlink()
    loaded = shelf.refresh()
    assert students(loaded, "bio-2") == {"bob", "eve"}
    assert (kept(loaded), codes(loaded)) == ({"bio.csv"}, {"LEC305"})


def test_a_course_that_turns_to_a_broken_roster_keeps_the_one_it_had(
    folder: Path, shelf: Shelf
) -> None:
    (folder / "rosters" / "new.csv").write_text("id\nx\n")
    (folder / "bio-2.yaml").write_text(course("bio-2", "Cells", students="{csv: rosters/new.csv}"))
    loaded = shelf.refresh()
    assert students(loaded, "bio-2") == {"bob", "eve"}
    assert catalog(loaded).courses["bio-2"].title.get("en") == "Drawing"
    assert (kept(loaded), codes(loaded)) == ({"bio-2.yaml"}, {"LEC111"})


def test_a_broken_course_still_follows_its_roster(folder: Path, shelf: Shelf) -> None:
    (folder / "bio-2.yaml").write_text("")
    (folder / "rosters" / "bio.csv").write_text("name\nmallory\n")
    loaded = shelf.refresh()
    assert students(loaded, "bio-2") == {"mallory"}
    assert kept(loaded) == {"bio-2.yaml"}


def test_a_copy_cannot_take_the_id_of_a_course_that_is_offered(folder: Path) -> None:
    (folder / "art-1.yaml").rename(folder / "drawing.yaml")
    shelf = Shelf(folder)
    shelf.load()
    (folder / "art-1.yaml").write_text(course("art-1", title="Copy"))
    loaded = shelf.refresh()
    assert catalog(loaded).courses["art-1"].title.get("en") == "Drawing"
    assert [(item.code, Path(item.file).name) for item in loaded.diagnostics] == [
        ("LEC108", "art-1.yaml")
    ]
    (folder / "drawing.yaml").unlink()
    loaded = shelf.refresh()
    assert catalog(loaded).courses["art-1"].title.get("en") == "Copy"


def test_two_files_may_swap_their_ids(folder: Path, shelf: Shelf) -> None:
    (folder / "art-1.yaml").write_text(course("bio-2", title="A"))
    (folder / "bio-2.yaml").write_text(course("art-1", title="B"))
    loaded = shelf.refresh()
    assert loaded.diagnostics == ()
    assert catalog(loaded).courses["bio-2"].title.get("en") == "A"


def test_a_refresh_without_a_good_catalog_before_takes_what_is_good(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.refresh().catalog is None
    (tmp_path / "campus.yaml").write_text(CAMPUS)
    assert list(catalog(shelf.refresh()).courses) == []
    (tmp_path / "art-1.yaml").write_text(course("art-1"))
    assert list(catalog(shelf.refresh()).courses) == ["art-1"]


def test_a_look_at_everything_takes_nothing_from_a_running_hub(folder: Path, shelf: Shelf) -> None:
    (folder / "art-1.yaml").write_text("")
    assert set(catalog(shelf.load()).courses) == {"bio-2"}
    assert shelf.load().kept == ()
    assert set(catalog(shelf.refresh()).courses) == {"art-1", "bio-2"}


def test_a_refreshed_folder_without_mistakes_is_what_a_new_process_reads(
    folder: Path, shelf: Shelf
) -> None:
    (folder / "campus.yaml").write_text(CAMPUS.replace("cpu: 4", "cpu: 8"))
    (folder / "art-1.yaml").write_text(course("art-1", title="Painting"))
    (folder / "rosters" / "bio.csv").write_text("name\nzoe\n")
    ours, fresh = shelf.refresh(), load(folder)
    assert catalog(ours).courses == catalog(fresh).courses
    assert catalog(ours).campus == catalog(fresh).campus
    assert (ours.diagnostics, ours.files) == (fresh.diagnostics, fresh.files)


async def test_a_hub_refreshes_without_waiting_in_its_loop(folder: Path, shelf: Shelf) -> None:
    (folder / "art-1.yaml").write_text(course("art-1", title="Painting"))
    before = gc.get_threshold()
    refreshing = asyncio.create_task(shelf.refreshed())
    await asyncio.sleep(0)
    # A search through everything would hold the loop; it is only put off.
    assert not refreshing.done()
    assert gc.get_threshold()[2] > 1_000_000
    loaded = await refreshing
    assert gc.get_threshold() == before
    assert catalog(loaded).courses["art-1"].title.get("en") == "Painting"


def test_nothing_is_kept_of_versions_that_are_no_longer_in_use(folder: Path, shelf: Shelf) -> None:
    for title in ("Painting", "Welding", "Weaving"):
        (folder / "art-1.yaml").write_text(course("art-1", title=title))
        shelf.refresh()
    gc.collect()
    objects = [each for each in gc.get_objects() if type(each) is Course]
    ours = [each for each in objects if each.file == folder / "art-1.yaml"]
    assert [each.title.get("en") for each in ours] == ["Weaving"]
