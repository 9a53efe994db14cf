"""Debian packages: what the person reads who may not install them."""

import pytest

from workshop import apt


def test_without_the_right_to_install_the_line_to_type_is_named(monkeypatch, capsys):
    monkeypatch.setattr(apt, "prefix", lambda: None)
    with pytest.raises(SystemExit) as stopped:
        apt.install(["chromium", "fonts-noto-cjk"], "for the tests")
    assert stopped.value.code == 2
    assert "  sudo apt-get install -y chromium fonts-noto-cjk\n" in capsys.readouterr().err


def test_package_lists_are_renewed_once_when_a_package_is_not_found(monkeypatch, capsys):
    calls = []

    def get(before, words, *, shows_errors=False):
        calls.append(words[0])
        return calls == ["install", "update", "install"]

    monkeypatch.setattr(apt, "prefix", list)
    monkeypatch.setattr(apt, "_get", get)
    apt.install(["chromium"], "for the tests")
    assert calls == ["install", "update", "install"]
    assert "Installing the Debian packages chromium for the tests" in capsys.readouterr().out


def test_a_package_that_does_not_exist_is_not_installed():
    assert not apt.is_installed("lectern-no-such-package")
