"""What people do with a case: each move is one step of a life, a command or a few that belong together."""
