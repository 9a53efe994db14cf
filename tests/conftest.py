"""What all tests share."""

pytest_plugins = [
    "tests.plugins.clusters",
    "tests.plugins.images",
    "tests.plugins.lanes",
    "tests.plugins.machinenodes",
    "tests.plugins.processnodes",
    "tests.plugins.skips",
]
