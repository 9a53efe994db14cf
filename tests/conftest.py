"""What all tests share."""

pytest_plugins = ["tests.plugins.clusters", "tests.plugins.skips"]
