"""Which trees of control groups a machine has, read from its mounts."""

from pathlib import Path

import pytest

from cluster.cgroups import Hierarchy, hierarchies

FIRST = """\
tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,nodev,noexec,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,xattr,name=systemd 0 0
"""
SECOND = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate 0 0\n"
UNIFIED = "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n"
TREES = [
    Hierarchy(Path("/sys/fs/cgroup/cpu,cpuacct"), "cpu,cpuacct"),
    Hierarchy(Path("/sys/fs/cgroup/memory"), "memory"),
    Hierarchy(Path("/sys/fs/cgroup/systemd"), "none,name=systemd"),
]


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        (FIRST, TREES),
        (FIRST + UNIFIED, TREES),
        (SECOND, [Hierarchy(Path("/sys/fs/cgroup"), "")]),
    ],
    ids=["version 1", "hybrid", "version 2"],
)
def test_hierarchies(mounts, found):
    assert hierarchies(mounts) == found
