"""Builds are kept under a name made from what they were made from."""

import subprocess

import pytest

from cluster import gobuild
from cluster.errors import ClusterError
from cluster.gobuild import Build

MODULE = "module lectern/tests/hello\n\ngo 1.21\n"
PROGRAM = 'package main\n\nimport "fmt"\n\nvar Word = "nobody"\n\nfunc main() { fmt.Println("hello", Word) }\n'


@pytest.fixture
def module(tmp_path):
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "go.mod").write_text(MODULE)
    (folder / "main.go").write_text(PROGRAM)
    return folder


@pytest.fixture
def wanted(module):
    return Build("hello", module, ".", minutes=0.1, flags=("-X main.Word=world",))


@pytest.fixture
def run():
    def run_it(program) -> str:
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout

    return run_it


def test_a_program_is_built_once(wanted, tmp_path, run):
    told: list[str] = []
    program = gobuild.build(wanted, tmp_path / "kept", told.append)
    assert run(program) == "hello world\n"
    assert told[0] == "Making hello from its sources (once; a few seconds on two cores)"
    assert told[-1].startswith("Made hello-")
    count = len(told)
    assert gobuild.build(wanted, tmp_path / "kept", told.append) == program
    assert len(told) == count


def test_a_changed_source_is_another_program(wanted, module, tmp_path, run):
    first = gobuild.build(wanted, tmp_path / "kept", str)
    (module / "main.go").write_text(PROGRAM.replace("hello", "bye"))
    second = gobuild.build(wanted, tmp_path / "kept", str)
    assert (run(first), run(second)) == ("hello world\n", "bye world\n")


def test_what_go_says_is_passed_on(wanted, module, tmp_path):
    (module / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    with pytest.raises(ClusterError, match=r"could not build hello:[\s\S]*undefined: nothing"):
        gobuild.build(wanted, tmp_path / "kept", str)
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".busy"]


def test_a_machine_without_go_is_told_what_to_do(wanted, tmp_path, monkeypatch):
    monkeypatch.setattr(gobuild, "_GO_FOLDER", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match=r"this machine has none.*KUBECONFIG=FILE"):
        gobuild.build(wanted, tmp_path / "kept", str)


def test_an_old_go_is_named(wanted, tmp_path, monkeypatch):
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go version go1.19.8 linux/amd64\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(ClusterError, match=r"this machine has go1\.19"):
        gobuild.build(wanted, tmp_path / "kept", str)
