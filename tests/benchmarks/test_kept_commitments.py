"""What is kept of commitment play is what is computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.agents import Seat, make_agent
from coopgym.benchmarks.documentation.commitments import KEPT, certified_commitments
from coopgym.benchmarks.documentation.kept import kept_commitments
from coopgym.games.registry import games, make_game
from coopgym.oracles.games.certificate_record import commitment_record
from coopgym.oracles.games.commitment import commitment
from coopgym.oracles.games.dilemma import dilemma
from coopgym.oracles.games.normal_form import StageGame


def assert_alike(one: Any, other: Any) -> None:
    """Equal but for what rounding errors move: places by 1e-4, payoffs by less."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_alike(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_alike(*pair)
    else:
        assert one == (pytest.approx(other, abs=2e-4) if isinstance(one, float) else other)


@pytest.mark.slow
@pytest.mark.parametrize("game", games("formal"))
def test_what_is_kept_is_what_is_computed_and_played(game: str) -> None:
    made, kept = make_game(game), kept_commitments()[game]
    heads = [group[0] for group in StageGame(made).groups]
    computed = commitment_record(commitment(made, dilemma(made).optimum.profile), heads)
    assert_alike({part: json.loads(json.dumps(computed[part])) for part in KEPT}, kept)
    for reward, oracle in kept["oracle"].items():
        agent = make_agent("Oracle_CommitmentNash")
        agent.begin(Seat.of(made, 0, "own", reward), 1, np.random.default_rng(0))
        assert agent.solution.shares[0, heads] == pytest.approx(oracle["at"], abs=1e-6)  # type: ignore[attr-defined]  # oracles have one


def test_certificates_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of TrustDilemma-v1, .*; run coopgym solve --all --edition formal"):
        certified_commitments(tmp_path)
