"""Learners from replayed transitions with continuous actions: critics, and actors that climb them."""
