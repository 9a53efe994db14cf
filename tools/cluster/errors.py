"""What goes wrong with a cluster, in one sentence with its remedy."""


class ClusterError(Exception):
    """Something that the person who wants a cluster can mend or must know."""
