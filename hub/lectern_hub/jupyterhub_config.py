"""JupyterHub reads this file; everything in it is decided in `configure`."""

from lectern_hub.configure import configure
from lectern_hub.place import Place

extra_config = configure(c, Place.from_environment())
if extra_config:
    load_subconfig(str(extra_config))  # noqa: F821 - given by traitlets, like `c`
