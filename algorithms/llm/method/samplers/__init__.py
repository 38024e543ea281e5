"""Samplers: who generates the rollouts of a group, and where they branch."""
