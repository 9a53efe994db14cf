"""What every image must keep, whoever built it: looked at from outside, and tried from inside.

``files`` reads the layers; ``inside`` has the programs that run in the image as a person
who is nobody in particular, in a `Place`.
"""
