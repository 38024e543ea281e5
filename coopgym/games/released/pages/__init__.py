"""Pages of the released games, a module per mechanism class."""
