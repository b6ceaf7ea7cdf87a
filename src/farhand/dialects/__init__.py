"""Other systems' wire protocols. Each is a folder or file that knows nothing of sockets."""
