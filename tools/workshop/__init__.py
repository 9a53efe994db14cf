"""What the make targets do: set-up, tests, checks and locks.

Standard library only, because it runs before anything is installed.
"""
