"""From one list of images to images: rendered for the engines of others, or built by our own.

``listing`` reads images.yaml, ``layers`` says what each image is made of, ``render``
writes that down for docker and buildah, and ``building`` does it on a machine with none.
"""
