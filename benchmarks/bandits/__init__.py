"""Bandits measured: what their regrets say of how well they play."""
