"""Learners from blocks of their own making: policy gradients, actor-critics, PPO."""
