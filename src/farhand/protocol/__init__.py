"""The wire: every message that farhand's programs exchange.

Knows no sockets, clocks or libraries but msgspec.
"""
