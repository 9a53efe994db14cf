"""The hub's log is written again when somebody has cleared it away, and never ends the hub."""

from __future__ import annotations

import logging
import shutil

import pytest

from lectern_hub.logfile import LogFile


@pytest.fixture
def log(tmp_path):
    """A logger with one log file, and the file."""
    file = tmp_path / "logs" / "hub.log"
    handler = LogFile(file, encoding="utf-8")
    logger = logging.getLogger("test of the log file")
    logger.addHandler(handler)
    yield logger, file
    logger.removeHandler(handler)
    handler.close()


def test_log_comes_back_with_its_folder(log, capsys):
    logger, file = log
    logger.warning("before")
    shutil.rmtree(file.parent)
    logger.warning("after")
    assert file.read_text() == "after\n"
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert capsys.readouterr().err == ""


def test_log_that_cannot_be_written_is_told_once_and_goes_on_later(log, capsys):
    logger, file = log
    shutil.rmtree(file.parent)
    file.parent.write_text("in the way")
    for _ in range(3):
        logger.warning("lost")
    told = capsys.readouterr().err
    assert told.count("hub.log cannot be written") == 1
    assert "Traceback" not in told
    file.parent.unlink()
    logger.warning("after")
    assert file.read_text() == "after\n"
