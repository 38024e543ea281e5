"""Rewards that are learned: transforms that fit what they pay to what they have seen."""
