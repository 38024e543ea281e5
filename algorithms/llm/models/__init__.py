"""Language models behind one interface: a small built-in transformer, Hugging Face models, and remote endpoints."""
