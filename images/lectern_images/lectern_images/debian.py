"""Debian's part: the first layer, and where apt of this machine has its packages from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lectern_images import sandbox
from lectern_images.errors import ImageError
from lectern_images.layers import SCRIPTS, STEPS
from lectern_images.tree import EPOCH

SUITE = "bookworm"
_SUITES = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_TARGET = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"
_EMPTY_FILES = ("etc/hostname", "etc/hosts", "etc/resolv.conf")
"""What a container gets from outside; each must be there to be covered."""


def sources() -> str:
    """Return this machine's sources of Debian's packages, as lines for apt.

    Raises:
        ImageError: when there are none.
    """
    command = ["apt-get", "indextargets", "--format", _TARGET, "Created-By: Packages"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        listed = ""
    rows = {tuple(line.split()[:3]) for line in listed.splitlines()}
    lines = sorted(
        f"deb [signed-by={_KEYRING}] {address} {suite} {component}"
        for address, suite, component in rows
        if suite in _SUITES and component == "main"
    )
    if not lines:
        raise ImageError(
            f"apt of this machine knows no source of Debian {SUITE}; name one with "
            "--sources FILE (a sources.list, for example of your mirror)"
        )
    return "\n".join([*lines, ""])


def sources_or_nothing() -> str:
    """Return the same; nothing on a machine whose apt knows none, or that has no apt."""
    try:
        return sources()
    except ImageError:
        return ""


def settings() -> str:
    """Return how apt of this machine reaches them, and where it keeps what it fetches."""
    command = ["apt-config", "dump", "--format", '%F "%v";%n', "Acquire"]
    try:
        dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        dumped = ""
    kept = [
        line for line in dumped.splitlines() if line.startswith(("Acquire::http", "Acquire::ftp"))
    ]
    own = [
        'Dir::Etc::SourceList "/run/lectern/sources.list";',
        'Dir::Etc::SourceParts "/dev/null";',
        'Dir::State::Lists "/run/lectern/lists";',
        'Dir::Cache::Archives "/run/lectern/debs";',
        'Dir::Cache::PkgCache "";',
        'Dir::Cache::SrcPkgCache "";',
        'APT::Sandbox::User "root";',
        'APT::Keep-Downloaded-Packages "true";',
        'DPkg::Options:: "--force-unsafe-io";',
        'Dpkg::Use-Pty "false";',
    ]
    return "\n".join([*kept, *own, ""])


def make_root(work: Path, sources_file: Path) -> Path:
    """Make the first layer: Debian's essential packages and apt.

    Returns:
        Its folder.

    Raises:
        ImageError: when the packages cannot be had.
    """
    root = work / "upper"
    command = ["unshare", "--mount", "--propagation", "private", "env"]
    command += [f"SOURCE_DATE_EPOCH={EPOCH}", "mmdebstrap"]
    command += ["--mode=root", "--variant=minbase", "--format=directory", "--quiet"]
    command += ["--dpkgopt=force-unsafe-io", f"--aptopt={work / 'proxy'}"]
    (work / "proxy").write_text(settings().partition("Dir::")[0])
    for pattern in ("doc/*", "info/*", "lintian/*", "locale/*", "man/*"):
        command.append(f"--dpkgopt=path-exclude=/usr/share/{pattern}")
    command += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    sandbox.execute([*command, SUITE, str(root), str(sources_file)], work)
    for pattern in ("apt/sources.list*", "apt/apt.conf.d/99mmdebstrap", "dpkg/dpkg.cfg.d/99mm*"):
        for path in (root / "etc").glob(pattern):
            if path.is_dir():
                continue
            path.unlink()
    for path in (root / "etc/apt/sources.list.d").iterdir():
        path.unlink()
    for path in (root / "dev").iterdir():  # whatever runs the image brings its own
        path.unlink() if not path.is_dir() or path.is_symlink() else shutil.rmtree(path)
    for name in _EMPTY_FILES:
        (root / name).write_text("")
        (root / name).chmod(0o644)
    tidy = sandbox.Step(["sh", f"{STEPS}/tidy.sh"], {STEPS: SCRIPTS})
    sandbox.execute(sandbox.bubblewrap(str(root), tidy), work)
    return root
