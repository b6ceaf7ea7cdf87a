"""The simulated robots: a process of their own."""
