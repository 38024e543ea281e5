"""Mathematics that only the released edition uses."""
