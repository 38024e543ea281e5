"""Games among strategies: population dynamics, rankings and summaries of tables of payoffs.

A table of payoffs ``(K, K)`` holds in row a, column b what strategy a earns in a population of strategy b.
"""
