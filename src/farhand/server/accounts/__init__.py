"""People and robots that prove who they are: logins, tokens, passwords, and what they may do."""
