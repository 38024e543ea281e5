"""Learners from preferences between trajectories and between options, and the reward transforms that they are made of."""
