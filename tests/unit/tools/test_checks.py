"""The checks that are our own: sizes, the audit's verdict, lock files."""

import pytest

from workshop import audit, environments, locks, sizes


def test_a_function_over_the_limit_is_named_with_its_line(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("x = 1\ndef f():\n" + "    y = 1\n" * 60, encoding="utf-8")
    (problem,) = sizes.problems_of(path)
    assert problem == f"{path}:2: `f` has 61 lines, at most 60"


def test_a_file_over_the_limit_is_named(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("x = 1\n" * 401, encoding="utf-8")
    assert list(sizes.problems_of(path)) == [f"{path}: 401 lines, at most 400"]


def test_a_known_vulnerability_fails_the_audit(capsys):
    known = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    rows = [{"name": "thing", "version": "1.0", "vulns": [known]}]
    assert not audit.judge("run.txt", rows)
    assert "thing 1.0: PYSEC-1, repaired in 2.0" in capsys.readouterr().out


def test_a_service_that_knows_nothing_is_said_and_fails_nothing(capsys):
    assert audit.judge("run.txt", [{"name": "thing", "skip_reason": "not found"}])
    assert "not audited: service unreachable" in capsys.readouterr().out


def test_a_broken_audit_fails_but_a_missing_network_does_not(capsys):
    assert not audit.judge_silence("run.txt", "usage: pip-audit [-h]")
    assert audit.judge_silence("run.txt", "requests.exceptions.ConnectionError: no route")
    assert "not audited: service unreachable" in capsys.readouterr().out


@pytest.mark.parametrize("name", locks.FILES)
def test_a_lock_names_no_index_and_hashes_everything(name):
    text = (environments.LOCKS / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in lines if line.startswith("-") or "://" in line]
    pins = [number for number, line in enumerate(lines) if "==" in line and line[0] != " "]
    assert pins
    assert all(lines[number + 1].startswith("    --hash=sha256:") for number in pins)


@pytest.mark.parametrize("name", locks.FILES)
def test_a_lock_holds_every_direct_dependency(name):
    names = {
        environments.normal(environments.PINNED_NAME.match(line)[0]) for line in locks.wanted(name)
    }
    assert names <= environments.pinned(environments.LOCKS / name)


def test_tests_see_the_versions_that_run_installs():
    run, test = (
        set(environments.PINNED.findall((environments.LOCKS / name).read_text(encoding="utf-8")))
        for name in ("run.txt", "test.txt")
    )
    assert {name for name, _ in run} <= {name for name, _ in test}
    assert run <= test
