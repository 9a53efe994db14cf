"""The hub: JupyterHub with the profiles of courses."""
