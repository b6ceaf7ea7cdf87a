"""The documented teleop dialect on our listener: its door, its rooms, its sockets."""
