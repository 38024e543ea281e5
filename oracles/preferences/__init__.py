"""Games of pairwise preferences: who wins by which rule, cycles, and equilibria with and without regularisation.

A matrix of preferences P ``(K, K)`` holds in row y, column y' the probability that option y is preferred to y'. Scalar
rewards cannot express a cycle; mixtures that nothing is preferred to can, and always exist.
"""
