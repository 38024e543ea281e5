"""Planners who must get others to act: whom to pay for information, how clear to make it, what to recommend."""
