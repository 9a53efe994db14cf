"""The skip report: what a run of all tests may leave out."""

from tests.plugins import skips

LINE = "SKIPPED tests/x.py::test_a: no cluster"


def test_an_unexpected_skip_is_a_difference():
    assert skips.differences([LINE], [], set()) == [f"not in tests/expected-skips.txt: {LINE}"]


def test_an_expected_skip_that_ran_is_a_difference():
    assert skips.differences([], [LINE], set()) == [f"expected, but not skipped: {LINE}"]


def test_a_slow_test_left_out_of_a_quick_run_is_none():
    assert skips.differences([], [LINE], {"tests/x.py::test_a"}) == []


def test_skips_are_printed_and_counted_against_the_run(pytester_run):
    result = pytester_run("import pytest\ndef test_a():\n    pytest.skip('no  cluster')\n")
    assert "SKIPPED test_one.py::test_a: no cluster" in result.stdout
    assert "not in tests/expected-skips.txt" in result.stdout
    assert result.returncode == 1


def test_a_selection_is_not_held_against_the_list(pytester_run):
    text = "import pytest\ndef test_a():\n    pytest.skip('no cluster')\n"
    assert pytester_run(text, "-k", "test_a").returncode == 0
