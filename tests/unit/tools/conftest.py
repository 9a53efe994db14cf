"""A small pytest run of its own, with the skip report in it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFTEST = """
from tests.plugins import skips
skips.is_reference_machine = lambda: True
pytest_plugins = ["tests.plugins.skips"]
"""


@pytest.fixture
def pytester_run(tmp_path):
    """Return a function that runs one test module in a process of its own."""

    def run(text, *arguments):
        (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
        (tmp_path / "test_one.py").write_text(text, encoding="utf-8")
        (tmp_path / "pytest.ini").write_text(f'[pytest]\npythonpath = "{ROOT}"\n', encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run
