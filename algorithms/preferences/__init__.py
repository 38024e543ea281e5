"""Learners from preferences between trajectories and between options, and the reward transforms behind them."""
