"""The contract about an image's files: what is found, and what is rightly left alone."""

from __future__ import annotations

import tarfile

import pytest

from lectern_images.contents import Entry
from lectern_images.contract.files import problems

KEY = b"-----BEGIN RSA PRIVATE KEY-----\n" + b"A" * 64 + b"\n-----END RSA PRIVATE KEY-----\n"


def entry(path: str, content: bytes = b"", mode: int = 0o644, kind: bytes = tarfile.REGTYPE):
    header = tarfile.TarInfo(path)
    header.mode, header.type, header.size = mode, kind, len(content)
    return Entry(path, header, lambda: content)


@pytest.mark.parametrize(
    ("path", "content", "mode", "words"),
    [
        ("home/x/.netrc", b"", 0o600, "what opens something"),
        ("root/.ssh/id_ed25519", b"", 0o600, "what opens something"),
        ("etc/ssl/site.key", KEY, 0o600, "a private key"),
        ("opt/x/config.py", b"key = 'AKIAABCDEFGHIJKLMNOP'", 0o644, "a key of a cloud"),
        ("root/.npmrc", b"//host/:_authToken=abcdefghijklmnopqrstuvwx", 0o644, "a token of npm"),
        ("etc/pip.conf", b"index-url = https://me:secret@mirror/simple", 0o644, "a password"),
        ("opt/data", b"", 0o666, "can be written to by everybody (mode 0666)"),
        ("usr/bin/tool", b"", 0o4755, "runs as somebody else"),
    ],
)
def test_what_must_not_be_there_is_found(path, content, mode, words):
    (found,) = problems([entry(path, content, mode)], None)
    assert found.startswith(f"/{path} ")
    assert words in found


@pytest.mark.parametrize(
    ("path", "content", "mode", "kind"),
    [
        ("tmp", b"", 0o1777, tarfile.DIRTYPE),
        ("var/tmp", b"", 0o1777, tarfile.DIRTYPE),
        ("usr/bin/sh", b"", 0o777, tarfile.SYMTYPE),
        ("usr/lib/python3/tornado/test/test.key", KEY, 0o644, tarfile.REGTYPE),
        ("usr/lib/python3/url.py", b"like http://user:pass@host/", 0o644, tarfile.REGTYPE),
        ("etc/mirrors.conf", b"url = http://mirror/ # me@home", 0o644, tarfile.REGTYPE),
    ],
)
def test_what_does_no_harm_is_left_alone(path, content, mode, kind):
    assert list(problems([entry(path, content, mode, kind)], None)) == []


def test_an_image_that_is_too_large_is_said():
    rows = [entry("a", b"x" * 600), entry("b", b"x" * 500)]
    assert list(problems(rows, 1_100)) == []
    assert list(problems(rows, 1_000)) == ["it holds 0 MB, more than its 0"]
