"""What starts several programs: demo and bench. Nothing imports them but cli."""
