"""Corpora as users handle them: shown, verified, exchanged with other programs, released."""
