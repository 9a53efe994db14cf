"""Programs and scripts that run inside an image while it is built; none is imported here."""
