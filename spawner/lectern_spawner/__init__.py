"""From a campus's YAML files to a running server; the hub imports this, never the reverse."""
