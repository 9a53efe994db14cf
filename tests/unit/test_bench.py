"""The page of the bench says what was measured, also where it does not please."""

import json

import pytest
from bench import campuses, catalog, figures, report, rounds
from bench.__main__ import GROUPS, main
from bench.inside import growth
from bench.record import Calibration, Record, Round

QUIET = Calibration(seconds=0.04, crowding=1.0)
CROWDED = Calibration(seconds=0.04, crowding=1.5)
SLOWER = Calibration(seconds=0.05, crowding=1.0)


def round_of(kept=True, **values):
    return Round(group="test", first="ours", before=QUIET, after=QUIET, kept=kept, values=values)


@pytest.fixture
def record():
    return Record(
        date="2026-11-22T10:00:00+00:00",
        wanted=2,
        machine={"cores": 2},
        versions={"jupyterhub": "6.1.1"},
        rounds=[
            round_of(
                cold_start={"ours": 2.0, "peer": 2.0},
                start_cpu={"ours": 0.95, "peer": 1.0},
                memory={"ours": 41.0},
            ),
            round_of(
                cold_start={"ours": 2.2, "peer": 2.0},
                start_cpu={"ours": 0.9, "peer": 1.0},
                memory={"ours": 43.0},
            ),
            round_of(kept=False, cold_start={"ours": 90.0, "peer": 1.0}),
            round_of(page_20={"ours": 1.0}),
        ],
        skipped={"kubespawner": "it is not installed"},
    )


def row(page, title):
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {title}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_missed_target_is_printed_as_missed(record):
    page = report.page(record)
    assert row(page, "Hub CPU per start")[-1] == "**missed**"
    assert row(page, "Memory per user")[-1] == "**missed**"
    assert "   missed  Hub CPU per start" in report.summary(record)


def test_a_ratio_is_the_median_of_the_kept_rounds(record):
    cells = row(report.page(record), "Cold start")
    assert cells[1:] == ["≤ 1.15 × peer", "2.10 s", "2.00 s (plain JupyterHub)", *cells[4:]]
    assert cells[4:] == ["1.05 (1.00–1.10)", "met"]


def test_too_few_rounds_are_no_result(record):
    assert row(report.page(record), "Spawn page: CPU of the form, 20 ")[-1] == "no result"


def test_a_peer_that_is_not_there_is_named(record):
    assert row(report.page(record), "Memory per user")[3] == "not measured: it is not installed"


def test_the_page_is_the_same_after_the_way_through_the_file(record, tmp_path, capsys):
    file = tmp_path / "bench.json"
    record.save(file)
    assert main(["--render", str(file)]) == 0
    assert capsys.readouterr().out == report.page(record)


def test_a_file_of_another_format_is_refused(tmp_path):
    file = tmp_path / "bench.json"
    file.write_text(json.dumps({"format": 0}))
    with pytest.raises(ValueError, match="not a record"):
        Record.load(file)


def test_rounds_take_turns_and_noisy_ones_are_repeated(record, monkeypatch):
    # Each round asks twice, before and after; the second round's end is noisy.
    times = iter([QUIET, QUIET, QUIET, CROWDED, QUIET, QUIET])
    monkeypatch.setattr(rounds, "calibrate", lambda: next(times))
    record.rounds.clear()
    seen = []
    rounds.repeat(record, "test", lambda order: seen.append(order) or {})
    assert seen == [("ours", "peer"), ("peer", "ours"), ("peer", "ours")]
    assert [made.kept for made in record.rounds] == [True, False, True]


def test_rounds_end_when_the_machine_stays_noisy(record, monkeypatch):
    monkeypatch.setattr(rounds, "calibrate", lambda: CROWDED)
    monkeypatch.setattr(rounds, "_PATIENCE_SECONDS", 0)
    record.rounds.clear()
    rounds.repeat(record, "test", lambda order: {})
    assert [made.kept for made in record.rounds] == [False] * (rounds.MOST_DISCARDS + 1)


def test_a_machine_may_change_its_speed_between_rounds_but_not_in_one():
    assert rounds.is_quiet(SLOWER, SLOWER)
    assert not rounds.is_quiet(QUIET, SLOWER)
    assert not rounds.is_quiet(SLOWER, QUIET)


def test_growth_is_an_exponent():
    assert growth([20.0, 200.0, 2000.0]) == pytest.approx(1.0)
    assert growth([5.0, 5.0, 5.0]) == pytest.approx(0.0)


def test_made_up_campuses_are_right_and_show_what_they_should(tmp_path):
    people = campuses.students(2)
    foreign = campuses.read(campuses.write(tmp_path / "foreign", 40, people))
    visible = campuses.read(campuses.write(tmp_path / "visible", 40, people, visible=True))
    assert len(foreign.roles(people[1])) == 1
    assert len(visible.roles(people[1])) == 3
    assert sum(len(course.profiles) for course in foreign.courses.values()) == 40 + campuses.OWN


def test_the_catalog_is_measured_in_processes_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "COURSES", 3)
    values = catalog.Catalogs(tmp_path).measure(("ours", "peer"))
    lines = (tmp_path / "campus" / "course-0.yaml").read_text().splitlines()
    assert lines[-1] == "# changed"
    assert 100 <= len(lines) <= 110
    assert values["catalog_new"].keys() == {"ours", "peer"}
    assert {name for name in values if name != "catalog_new"} == {
        figure.id for figure in figures.FIGURES if figure.id.startswith("catalog_")
    } - {"catalog_new"}


def test_a_group_that_breaks_off_takes_nothing_with_it(monkeypatch, tmp_path, capsys):
    def fails(record):
        raise RuntimeError("the hub did not start")

    monkeypatch.setitem(GROUPS["hub"], "live", fails)
    monkeypatch.setitem(GROUPS["hub"], "pages", lambda record: record.rounds.append(round_of()))
    assert main(["--only", "live", "--only", "pages", "--out", str(tmp_path)]) == 1
    assert len(Record.load(tmp_path / "bench.json").rounds) == 1
    assert "broke off: live: the hub did not start" in (tmp_path / "benchmarks.md").read_text()
    assert "the hub did not start" in capsys.readouterr().err
