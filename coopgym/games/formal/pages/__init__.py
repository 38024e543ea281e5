"""Pages of the formal games, a module per mechanism class."""
