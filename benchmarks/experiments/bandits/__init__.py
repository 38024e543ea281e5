"""Bandits in games and on arms of their own: measured regret beside what is declared."""
