"""The package list in setup.cfg is written by hand; the folders and the wheel must agree with it."""

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE_ROOTS = {
    "lectern_hub": ROOT / "hub",
    "lectern_images": ROOT / "images/lectern_images",
    "lectern_lab": ROOT / "images/lectern_lab",
    "lectern_spawner": ROOT / "spawner",
}


def settings() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=["="])
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def package_files() -> list[Path]:
    """Return the files below our packages, relative to the folder that is imported from."""
    return sorted(
        (Path(folder) / file).relative_to(root)
        for name, root in PACKAGE_ROOTS.items()
        for folder, _, files in os.walk(root / name, followlinks=True)
        for file in files
        if "__pycache__" not in Path(folder).parts
    )


def test_package_list_matches_the_folders():
    listed = settings()["options"]["packages"].split()
    found = {".".join(path.parent.parts) for path in package_files() if path.name == "__init__.py"}
    assert listed == sorted(found)


def test_every_module_lies_in_a_package():
    folders = {path.parent for path in package_files() if path.suffix == ".py"}
    packages = {path.parent for path in package_files() if path.name == "__init__.py"}
    assert folders <= packages


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Return a wheel that was built from a copy, so that the checkout stays clean."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "lectern"
    copy.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name, root in PACKAGE_ROOTS.items():
        target = copy / root.relative_to(ROOT) / name
        shutil.copytree(root / name, target, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", folder, copy]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_every_file_of_a_package_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == {path.as_posix() for path in package_files()}


def test_every_entry_point_names_something_that_exists(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        parser = configparser.ConfigParser(delimiters=["="])
        parser.read_string(archive.read(name).decode())
    targets = [target for group in parser.sections() for target in parser[group].values()]
    code = "import sys\nfrom pkgutil import resolve_name\nfor t in sys.argv[1:]: resolve_name(t)"
    paths = ":".join(str(root) for root in PACKAGE_ROOTS.values())
    command = [sys.executable, "-c", code, *targets]
    done = subprocess.run(
        command, env={"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
