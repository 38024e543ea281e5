"""Learners of what levels are worth: independent, or as parts of one common value."""
