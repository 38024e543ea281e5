"""Models from disk, of whichever kind they are."""

from __future__ import annotations

from pathlib import Path

import torch

from coopgym.algorithms.llm.models.language_model import LanguageModel
from coopgym.algorithms.llm.models.small import SmallModel, SmallSettings
from coopgym.algorithms.llm.models.storage import MODEL_FILE, read_description, read_weights
from coopgym.digests import check_digests


def load_model(folder: str | Path, *, device: str | torch.device = "cpu") -> LanguageModel:
    """Return a model that its `save` wrote.

    Raises:
        FileNotFoundError: no model there.
        ValueError: the files are damaged, altered, of a newer version, or do not belong together.
    """
    path = Path(folder)
    check_digests(path)
    kind, settings = read_description(path / MODEL_FILE)
    if kind == "huggingface":
        from coopgym.algorithms.llm.models.huggingface import load_huggingface  # transformers is slow to import

        return load_huggingface(path, settings, device)
    try:
        model = SmallModel(SmallSettings(**settings), device=device)
    except TypeError as error:
        raise ValueError(f"{path / MODEL_FILE} is damaged: {error}") from error
    model.restore(read_weights(path))
    return model
