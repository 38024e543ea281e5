"""Renault–Nissan: trust and reputation under a script."""
