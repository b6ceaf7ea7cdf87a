"""A small network in this machine: a robot's and an operator's namespace and a bad link between."""
