"""Coopetitive play while trust evolves."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.agents import make_agent
from coopgym.games.registry import make_game
from coopgym.oracles.games.best_response import regret
from coopgym.oracles.games.coopetitive_path import NoStageEquilibriumError, coopetitive_path
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.rollout import initial_state
from coopgym.play import NOMINAL, open_loop, play, unroll
from tests.support.formal_certificates import CERTIFICATES


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "SLCD-v1", "GraduatedSanction-v1", "PartnerHoldUp-v1"])
def test_every_step_is_a_stage_equilibrium_of_its_state(game: str) -> None:
    made = make_game(game, max_steps=30)
    path = coopetitive_path(made)
    certified = CERTIFICATES[game]["coopetitive_T0"]
    heads = [group[0] for group in StageGame(made).groups]
    assert path.shares[0, heads] == pytest.approx(certified, abs=0.003)
    played = unroll(made, open_loop(made, path.shares), start=initial_state(made), draws=NOMINAL)
    for step, shares, payoffs in zip(played, path.shares, path.payoffs, strict=True):
        assert regret(StageGame(made, "integrated", step.before), shares) <= 1e-6
        np.testing.assert_allclose(payoffs, step.transition.payoffs)


def test_low_trust_decays_and_high_trust_is_sustained() -> None:
    made = make_game("SLCD-v1")
    falling = coopetitive_path(made, state=initial_state(made, trust=0.3))
    rising = coopetitive_path(made, state=initial_state(made, trust=0.9))
    assert falling.trust[-1] < 0.1 < 0.9 < rising.trust[-1]
    assert falling.shares[-1].max() < 0.2 < 0.4 < rising.shares[-1].min()


def test_the_trust_aware_oracle_plays_it() -> None:
    made = make_game("TrustDilemma-v1", max_steps=12)
    agents = [make_agent("Oracle_TrustAware") for _ in range(2)]
    episode = play(made, agents, reward="integrated", record=True)
    assert episode.trajectory is not None
    played = episode.trajectory.actions[:, 0] / made.spec.endowments
    np.testing.assert_allclose(played, coopetitive_path(made).shares, atol=1e-5)


def test_a_state_without_equilibrium_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def chase(self, profiles, layers):
        match = (profiles[..., 0] - 0.5) * (profiles[..., 1] - 0.5)
        return [np.stack([match, -match], axis=-1) for _ in layers]

    monkeypatch.setattr(StageGame, "read", chase)
    monkeypatch.setattr("coopgym.oracles.games.equilibrium.default_starts", lambda form: np.array([[0.2, 0.9]]))
    with pytest.raises(NoStageEquilibriumError, match="SLCD-v1 at step 0: no stage equilibrium"):
        coopetitive_path(make_game("SLCD-v1"))
