"""What language models read of a game's page, whatever Python strips from the code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from coopgym.games.page import page_of
from coopgym.games.registry import make_game
from coopgym.interfaces.text import game_rules_text
from coopgym.interfaces.text.dialogue import Rules
from coopgym.interfaces.text.fingerprint import prompt_hash

GAMES = ("TrustDilemma-v1", "CoalitionFormation-v0")
ASK = """
import json, sys
from tests.interfaces.text.test_text_pages import read
print(json.dumps([sys.flags.optimize, read(sys.argv[1])]))
"""


def read(game_id: str) -> dict[str, Any]:
    """Rules, digest of the page and hash of the whole prompt of a game."""
    game = make_game(game_id)
    return {
        "rules": game_rules_text.rules(type(game), game.parameters),
        "digest": page_of(game).digest(game),
        "prompt": prompt_hash(game, "own", "integrated", "json", Rules()),
        "rewarded": [prompt_hash(game, "own", reward, "json", Rules()) for reward in ("svo=45", "inequity=1,0.5")],
    }


@pytest.mark.parametrize("game_id", GAMES)
def test_a_prompt_does_not_depend_on_docstrings(game_id: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-OO", "-c", ASK, game_id], env=environment, capture_output=True, text=True, check=True
    )
    stripped, told = json.loads(done.stdout)
    assert stripped == 2
    assert told == read(game_id)
    assert "Payoff: " in told["rules"]


def test_what_differs_from_the_page_is_told() -> None:
    game = make_game("TrustDilemma-v1", gamma=3.0, max_steps=7)
    assert game_rules_text.rules(type(game), game.parameters).endswith(
        "after 4 steps.\nDifferent from the above in this game: max_steps = 7, gamma = 3.0."
    )
