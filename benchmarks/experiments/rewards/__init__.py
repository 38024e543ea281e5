"""Rewards compared, designed and read: what they ask for, and what learning under them comes to."""
