"""The gate program: a process around core.gate; socket in, driver out."""
