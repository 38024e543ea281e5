"""Runs of a study, computed and written to a corpus."""
