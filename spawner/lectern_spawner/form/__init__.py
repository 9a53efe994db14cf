"""The page where a student picks a profile."""
