"""The command line: picks the adapters and hands them over."""
