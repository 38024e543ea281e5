"""The response surface: the measured best constants of the released games, and blocks that leave no trace."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.agents.heuristics import Constant
from coopgym.benchmarks.audits import AUDITS, AuditOptions, rollout
from coopgym.benchmarks.audits.action_plan import ActionPlans, ResetDraws
from coopgym.benchmarks.audits.rollout import outcome
from coopgym.games.registry import make_game
from coopgym.play.episodes import play
from coopgym.play.unroll import opened

# Best common level in per cent under private and integrated rewards, its return per seat, and the integrated return of
# 0, 50 and 100 per cent, as measured on the reference.
MEASURED = {
    "TrustDilemma": ((40, 42), (14827, 23415), (318, 23133.4091, 20151.9713)),
    "PartnerHoldUp": ((35, 37), (14657, 23486), (328, 22928.971, 19349.9521)),
    "PlatformEcosystem": ((30, 32), (15340, 29778), (476, 28695.666, 23329.8291)),
    "DynamicPartnerSelection": ((19, 37), (6833, 18797), (5112, 17885.6905, 13160.541)),
    "RecoveryRace": ((28, 37), (22162, 30397), (15011, 29753.8092, 25334.524)),
    "SynergySearch": ((27, 42), (14707, 21411), (10031, 21070, 17728)),
    "SLCD": ((29, 33), (14845, 25506), (10068, 24935.0227, 21498.0747)),
    "RenaultNissan": ((32, 33), (14920, 23236), (9544, 22842.6246, 19935.7074)),
    "CooperativeNegotiation": ((28, 37), (14775, 22460), (10023, 21973.9924, 18710.2307)),
    "ReputationMarket": ((62, 62), (14586, 34240), (4187, 29393.1377, 28013.2506)),
    "TeamProduction": ((46, 47), (9430, 24286), (4576, 24269.8049, 22347.6142)),
    "LoyaltyTeam": ((66, 66), (12250, 31554), (2542, 29123.7671, 30839.7075)),
    "CoalitionFormation": ((61, 61), (19840, 72765), (3175, 67438.9843, 70191.9481)),
    "ApacheProject": ((61, 61), (6994, 145783), (2052, 135921.7019, 137120.6467)),
    "PublicGoods": ((63, 63), (12112, 37560), (2557, 34760.365, 36433.1801)),
    "ReciprocalDilemma": ((29, 33), (14845, 21903), (10029, 21407.6502, 18440.1318)),
    "GiftExchange": ((32, 33), (13828, 21213), (9029, 20845.5226, 18208.0709)),
    "IndirectReciprocity": ((23, 32), (21646, 46430), (15070, 44394.9425, 35237.8241)),
    "GraduatedSanction": ((21, 42), (28620, 74648), (20103, 72675.7624, 55914.144)),
    "AppleAppStore": ((30, 33), (8256, 14978), (5325, 14584.1675, 12238.84)),
}


@pytest.mark.parametrize("name", MEASURED)
def test_best_constants_of_the_released_games(name: str) -> None:
    levels, returns, marks = MEASURED[name]
    game = make_game(f"{name}-v0")
    for reward, level, value in zip(("private", "integrated"), levels, returns, strict=True):
        found = AUDITS["surface"](game, reward, 0, AuditOptions())
        returns_by_level = np.reshape(found.tables["audit_surface"]["episode_return"], (101, game.n_agents))
        means = returns_by_level.mean(axis=1)
        assert means[level] == pytest.approx(value, abs=0.51)
        assert found.columns["class_metrics"]["optimal_level"] == pytest.approx(level / 100)
        assert found.columns["class_metrics"]["optimal_mean_return"] == means[level]
    assert means[0] == pytest.approx(marks[0], abs=0.51)
    np.testing.assert_allclose(means[[50, 100]], marks[1:], rtol=2e-5 if name == "SynergySearch" else 3e-7)


def test_a_level_is_what_constant_agents_play() -> None:
    game = make_game("PlatformEcosystem-v0")
    table = AUDITS["surface"](game, "private", 0, AuditOptions(surface_step=0.1)).tables["audit_surface"]
    played = play(game, [Constant(0.1) for _ in range(5)], reward="private")
    rows = [row for row in table.to_pylist() if row["level"] == pytest.approx(0.1, abs=1e-6)]
    np.testing.assert_allclose([row["episode_return"] for row in rows], played.returns["private"][0], rtol=1e-12)
    np.testing.assert_allclose([row["payoff"] for row in rows], played.payoffs[0], rtol=1e-12)
    assert rows[0]["episode_length"] == played.lengths[0] < game.spec.horizon
    assert rows[0]["mean_trust_final"] == pytest.approx(played.final["mean_trust"][0], rel=1e-12)


def test_the_fixed_draws_cover_the_hidden_weight_evenly() -> None:
    game = make_game("SynergySearch-v0")
    draws = ResetDraws.fixed(game, 32)
    low, high = 0.2, 0.9
    expected = low + (high - low) * (np.arange(32) + 0.5) / 32
    np.testing.assert_allclose(np.ravel(opened(game, draws, (32,)).gamma), expected, rtol=1e-12)


def test_blocks_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for id in ("SynergySearch-v0", "PlatformEcosystem-v1"):
        game = make_game(id)
        plans = ActionPlans.levels(np.linspace(0, 1, 7)[:, None] * game.spec.endowments)
        whole = outcome(game, "integrated", plans, ResetDraws.fixed(game, 4))
        with monkeypatch.context() as patch:
            patch.setattr(rollout, "TRUST_AT_ONCE", 1)
            one_by_one = outcome(game, "integrated", plans, ResetDraws.fixed(game, 4))
        for name, values in vars(whole).items():
            np.testing.assert_allclose(vars(one_by_one)[name], values, rtol=1e-12, atol=1e-9)
