"""Make a campus from the settings of another JupyterHub distribution.

`hub.find` looks for the settings, `profiles`, `people` and `images` carry them
over, `ledger` accounts for every single value, `writing` makes the files.
"""
