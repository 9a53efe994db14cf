"""Course files that change while the hub runs.

`folders` tells when to look, `keeper` looks and gives everybody the new catalog,
`news` says what is different, `page` shows it to admins.
"""
