"""The documented teleop dialect: rooms whose members call each other (dialects.md, 3).

Sans-I/O. `exchange.Exchange` takes frames and returns effects; server/dialect.py has the sockets.
"""
