"""Games on a grid of shares: pure, correlated and coarse correlated equilibria, minimax and no-regret play."""
