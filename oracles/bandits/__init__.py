"""Bandit learners, games seen from one seat as bandits, and ledgers of regret."""
