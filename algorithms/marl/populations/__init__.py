"""Learners among several policies: past ones, partners trained for it, or other learners."""
