"""Six hundred corrupted policies: refused with what is wrong, or they play shares of the endowment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import numpy as np
import pytest

from coopgym.algorithms.common.training_record import RECORD_FILE
from coopgym.algorithms.loading import load_agents
from coopgym.algorithms.marl.core.trained_agents import POLICIES_FILE
from coopgym.digests import DIGESTS_FILE
from coopgym.games.registry import make_game
from coopgym.play import play
from tests.fuzz.mutations import damaged, mutated

COUNT, BATCHES = 600, 6
(SAVED,) = (Path(__file__).parents[1] / "data" / "corpora" / "schema-1.3" / "policies").iterdir()


def said(folder: Path) -> str | None:
    """What is said of policies that are refused; None where they play."""
    try:
        agents = load_agents(folder, foreign=True)
    except (ValueError, FileNotFoundError) as error:
        return str(error)
    game = make_game("TrustDilemma-v1", max_steps=4)
    try:
        played = play(game, agents)
    except ValueError as error:
        return str(error)
    assert np.isfinite(played.cooperation).all()
    assert ((played.cooperation >= 0.0) & (played.cooperation <= 1.0)).all()
    return None


def corrupt(folder: Path, chance: Random) -> str:
    """Change what no checksum protects, as somebody would who writes the checksums anew."""
    (folder / DIGESTS_FILE).unlink()
    if chance.random() < 0.5:
        record = folder / RECORD_FILE
        record.write_text(json.dumps(mutated(json.loads(record.read_text()), chance)))
        return RECORD_FILE
    tensors = folder / POLICIES_FILE
    tensors.write_bytes(damaged(tensors.read_bytes(), chance))
    return POLICIES_FILE


@pytest.mark.parametrize("batch", range(BATCHES))
def test_corrupted_policies_are_refused_or_play(batch: int, tmp_path: Path) -> None:
    refused = 0
    for number in range(COUNT // BATCHES):
        folder = tmp_path / str(number)
        shutil.copytree(SAVED, folder)
        changed = corrupt(folder, Random(100_000 + 1_000 * batch + number))
        answer = said(folder)
        if answer is not None:
            refused += 1
            assert len(answer) < 1_000, answer
            assert changed in answer or str(folder) in answer or "TrustDilemma-v1" in answer, answer
        shutil.rmtree(folder)
    assert refused > COUNT // BATCHES // 3


@pytest.mark.parametrize("name", [RECORD_FILE, POLICIES_FILE])
def test_any_changed_byte_is_noticed_by_its_digest(name: str, tmp_path: Path) -> None:
    for number in range(50):
        folder = tmp_path / str(number)
        shutil.copytree(SAVED, folder)
        (folder / name).write_bytes(damaged((folder / name).read_bytes(), Random(number)))
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            load_agents(folder)
