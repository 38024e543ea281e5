"""Whole episodes: the best plan of all seats with proved bounds, the best deviation of one, and exploitability."""
