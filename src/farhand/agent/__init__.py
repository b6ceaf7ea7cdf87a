"""The robot agent: signaling, sessions, media and the way to the gate."""
