"""Ed25519 keys of servers and robots, and the JSON Web Tokens signed with them."""
