"""Print every skipped test with its reason, and hold the list against the expected one.

On the reference machine (Debian 12, as root) a run of the whole suite may skip
exactly what tests/expected-skips.txt names, so that no proof goes missing unseen.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

EXPECTED = Path(__file__).parents[1] / "expected-skips.txt"
QUICK = "not slow"
LEFT_OUT = "deselected"


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SkipReport(config), "skip-report")


class SkipReport:
    """Collects the skips of one run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.skips: dict[str, str] = {}
        self.deselected: set[str] = set()
        self.differences: list[str] = []

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.deselected.update(item.nodeid for item in items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        """Hear what one of several processes of this run left out."""
        self.deselected.update(node.workeroutput.get(LEFT_OUT, ()))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skips[report.nodeid] = reason(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skips[report.nodeid] = reason(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput[LEFT_OUT] = sorted(self.deselected)
        elif is_whole(self.config) and is_reference_machine():
            self.differences = differences(lines(self.skips), expected(), self.deselected)
        if self.differences and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("skipped tests")
        for line in lines(self.skips) or ["no test was skipped"]:
            terminalreporter.write_line(line)
        for line in self.differences:
            terminalreporter.write_line(line, red=True)


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test was skipped, on one line."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return " ".join(text.removeprefix("Skipped: ").split())


def lines(skips: dict[str, str]) -> list[str]:
    """Return the sorted lines of the report."""
    return sorted(f"SKIPPED {nodeid}: {why}" for nodeid, why in skips.items())


def expected() -> list[str]:
    """Return the lines of the expected list, less its comments."""
    text = EXPECTED.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def differences(found: list[str], wanted: list[str], deselected: set[str]) -> list[str]:
    """Return what differs between two lists; a test left out of this run proves nothing."""
    left_out = tuple(f"SKIPPED {nodeid}: " for nodeid in deselected)
    missing = [line for line in wanted if line not in found and not line.startswith(left_out)]
    return [
        *(f"not in tests/expected-skips.txt: {line}" for line in found if line not in wanted),
        *(f"expected, but not skipped: {line}" for line in missing),
    ]


def is_whole(config: pytest.Config) -> bool:
    """Whether the run was asked for all tests, with or without the slow ones."""
    option = config.option
    everything = config.args_source is not pytest.Config.ArgsSource.ARGS
    selected = option.keyword or option.collectonly or option.ignore or getattr(option, "lf", False)
    return everything and not selected and option.markexpr in ("", QUICK)


def is_reference_machine() -> bool:
    """Whether this is Debian 12 and we are root."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return False
    return system.get("ID") == "debian" and system.get("VERSION_ID") == "12" and os.geteuid() == 0
