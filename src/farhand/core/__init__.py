"""Sans-I/O state machines: (state, message, now) -> effects."""
