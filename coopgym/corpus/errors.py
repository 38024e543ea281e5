"""What is raised about corpora."""

from __future__ import annotations


class CorpusError(ValueError):
    """A corpus or one of its files cannot be read; the message names the file, the fault and the remedy."""
