"""Programs that run inside a finished image; none is imported here."""
