"""Change one value of a campus's files and nothing else.

`change.plan` works out the new text of a file, `store.write` puts it in place;
`lectern set` and pages call both.
"""
