"""The gateway program: sockets, REST and the console around core.hub."""
