"""Plugs that move a robot."""
