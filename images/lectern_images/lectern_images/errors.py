"""What goes wrong with images and is told in a sentence."""


class ImageError(Exception):
    """Something could not be done; the message says what and what helps."""
