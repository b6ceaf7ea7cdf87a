"""The REST interface: one file for each resource, one place for rights, one for each shape."""
