"""Solve games: certificates as tables, files and figures, for one game or for all."""
