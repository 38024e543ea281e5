"""Training of language models: demonstrations, steps, what is measured and what is left."""
