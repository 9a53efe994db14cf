"""The shape of a campus's files, key by key: one module per part of a file.

Each field has a description and two examples; the schema for editors, `lectern
explain` and the tests are made from them. What goes beyond one value (a
reference, two keys that contradict each other) is in `rules`.
"""
