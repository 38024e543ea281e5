"""The playthroughs under version control are what the games do.

After an intended change: ``python -m coopgym.testing.playthrough tests/playthroughs``, and review the difference.
"""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coopgym.games.registry import games, make_game
from coopgym.testing.playthrough import number, playthrough, scripted_actions

FOLDER = Path(__file__).parents[1] / "playthroughs"


@pytest.mark.parametrize("id", games())
def test_a_game_plays_as_recorded(id: str) -> None:
    recorded = (FOLDER / f"{id}.txt").read_text(encoding="utf-8").splitlines()
    change = list(difflib.unified_diff(recorded, playthrough(id).splitlines(), "recorded", "now", lineterm="", n=1))
    assert not change, "\n".join([*change, "", __doc__ or ""])


def test_every_game_and_nothing_else_is_recorded() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(games())


def test_the_script_uses_the_whole_range_of_actions() -> None:
    game = make_game("AppleAppStore-v1")
    played = np.array([scripted_actions(game, step) for step in range(7)])
    assert (played.min(axis=0) == 0.0).all()
    assert (played.max(axis=0) == game.spec.endowments).all()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (3e-17, "0"), (1 / 3, "0.333333"), (97123.456789, "97123.5"), (-2.5, "-2.5")],
)
def test_numbers_have_six_significant_digits_and_no_noise(value: float, text: str) -> None:
    assert number(value) == text


def test_one_command_writes_all_files(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "coopgym.testing.playthrough"]
    subprocess.run([*command, str(tmp_path)], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
