"""Sections on audits, one module each."""
