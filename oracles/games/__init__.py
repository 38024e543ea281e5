"""Solutions of the games: equilibria, optima, best responses, certificates, exploitability."""
