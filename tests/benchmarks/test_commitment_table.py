"""The documentation's table of commitment equilibria says what is kept, and what is kept is what is computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.commitment_table import (
    KEPT,
    KIND,
    certified_commitments,
    commitment_table,
    commitment_welfare,
    kept_commitments,
)
from benchmarks.learner_table import with_table
from coopgym.agents import Seat, make_agent
from coopgym.games.registry import games, make_game
from oracles.games.certificate_record import commitment_record
from oracles.games.commitment import commitment
from oracles.games.coopetitive_path import coopetitive_path
from oracles.games.dilemma import dilemma
from oracles.games.equilibrium import find_equilibria
from oracles.games.normal_form import CommitmentGame, StageGame
from oracles.games.rollout import opening

PAGE = Path(__file__).parents[2] / "docs" / "oracles.md"
CHEAP = ("RecoveryRace-v1", "SLCD-v1")
ALL = [game if game in CHEAP else pytest.param(game, marks=pytest.mark.slow) for game in games("formal")]


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


def test_the_table_is_up_to_date() -> None:
    page = PAGE.read_text()
    table = commitment_table(kept_commitments())
    assert with_table(page, table, KIND) == page, "run python -m benchmarks.commitment_table certificates on it"
    assert list(kept_commitments()) == list(games("formal"))


def test_the_examples_of_the_page_say_what_comes_out() -> None:
    page, made = PAGE.read_text(), make_game("TrustDilemma-v1")
    solved = dilemma(made)
    trusting = find_equilibria(StageGame(made, "integrated", opening(made, trust=1.0)))
    for profile in (solved.nash.only().profile, trusting.only().profile, solved.optimum.profile):
        assert f"array({np.round(profile, 4).tolist()})" in page
    commitments = find_equilibria(CommitmentGame(made, "integrated"))
    assert f"# found {len(commitments.found)}:" in page
    assert f"trust[-1]  # {coopetitive_path(made).trust[-1]:.3f}:" in page
    (boundary,) = kept_commitments()["RecoveryRace-v1"]["basins"]["private"]["boundaries"]
    below, above = boundary["answers"]
    assert f"# {boundary['share']:.3f}, ({below:.2f}, {above:.2f}): the best response jumps" in page


@pytest.mark.parametrize("game", ALL)
def test_what_is_kept_is_what_is_computed_and_played(game: str) -> None:
    made, kept = make_game(game), kept_commitments()[game]
    heads = [group[0] for group in StageGame(made).groups]
    computed = commitment_record(commitment(made, dilemma(made).optimum.profile), heads)
    assert_alike({part: json.loads(json.dumps(computed[part])) for part in KEPT}, kept)
    for reward, oracle in kept["oracle"].items():
        agent = make_agent("Oracle_CommitmentNash")
        agent.begin(Seat.of(made, 0, "own", reward), 1, np.random.default_rng(0))
        assert agent.solution.shares[0, heads] == pytest.approx(oracle["at"], abs=1e-6)  # type: ignore[attr-defined]  # oracles have one


def test_what_commitments_are_worth_lies_between_the_worst_and_the_best() -> None:
    for game, constant in kept_commitments().items():
        for reward in ("private", "integrated"):
            worth = commitment_welfare(constant, reward)
            assert worth.worst <= worth.oracle <= worth.best, game
            assert worth.from_norm is None or worth.worst <= worth.from_norm <= worth.best
    free = commitment_welfare(kept_commitments()["DynamicPartnerSelection-v1"])
    assert (free.worst, free.best) == pytest.approx((1.601, 1.873), abs=2e-3), "both ends of the continuum"


def test_certificates_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of TrustDilemma-v1, .*; run coopgym solve --all --edition formal"):
        certified_commitments(tmp_path)
