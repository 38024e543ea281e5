"""Equilibria, optima and other reference points of the games."""
