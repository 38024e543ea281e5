"""Language-model agents: tool-use play, training, and published credit-assignment methods."""
