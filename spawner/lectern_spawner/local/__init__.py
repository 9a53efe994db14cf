"""Run the servers of a campus as processes of one machine."""
