"""Preferences: games of them among agents of a corpus, and what learning from them comes to."""
