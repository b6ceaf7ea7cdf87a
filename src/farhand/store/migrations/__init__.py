"""Revisions of the schema, forward only, run by `store/schema.py`."""
