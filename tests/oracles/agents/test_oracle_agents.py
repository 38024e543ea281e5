"""Oracles as agents: the published ones to the digit, the computed ones held to what their names say."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coopgym.agents import Seat, make_agent
from coopgym.games.game import AnyGame
from coopgym.games.registry import games, make_game
from coopgym.games.state import state_arrays
from coopgym.games.step import Step
from coopgym.oracles.agents import ORACLES, Oracle, Planner, applicable_oracles, base
from coopgym.oracles.agents.solutions import following_equilibria
from coopgym.oracles.dynamic import planner
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import CommitmentGame, StageGame
from coopgym.oracles.games.rollout import initial_state, plan_returns, repeated
from coopgym.play import NOMINAL, Episodes, open_loop, play, state_after, unroll
from coopgym.rewards import reward_layer
from coopgym.testing import check_agent
from coopgym.typing import FloatArray
from tests.support.formal_certificates import CERTIFICATES

SINGLE_PRECISION = 0.02
"""The published numbers come from best responses in single precision, which wander by this many units."""


def begun(name: str, game: AnyGame, *, seat: int = 0, reward: str = "integrated", **options: Any) -> Oracle:
    agent = make_agent(name, **options)
    assert isinstance(agent, Oracle)
    agent.begin(Seat.of(game, seat, "own", reward), 1, np.random.default_rng(0))
    return agent


def self_play(name: str, game: AnyGame, **options: Any) -> Episodes:
    agents = [make_agent(name, **options) for _ in range(game.n_agents)]
    return play(game, agents, views="own", record=True)


def actions(episodes: Episodes) -> FloatArray:
    """Actions ``(steps, N)`` of the first episode."""
    assert episodes.trajectory is not None
    return episodes.trajectory.actions[: int(episodes.lengths[0]), 0]


def first_actions(name: str, id: str, **options: Any) -> FloatArray:
    return actions(self_play(name, make_game(id, max_steps=2), **options))[0]


# As published


@pytest.mark.parametrize(
    ("name", "id", "published"),
    [
        ("Oracle_Equilibrium", "SynergySearch-v0", [23.61] * 2),
        ("Oracle_Equilibrium", "DynamicPartnerSelection-v0", [17.87] * 6),
        ("Oracle_Equilibrium", "PartnerHoldUp-v0", [24.90, 26.26]),
        ("Oracle_Equilibrium", "PlatformEcosystem-v0", [25.91, *[25.61] * 4]),
        ("Oracle_Equilibrium", "RenaultNissan-v0", [27.19, 27.93]),
        ("Oracle_TrustAware", "TrustDilemma-v0", [100.0] * 2),
        ("Oracle_TrustAware", "SLCD-v0", [100.0] * 2),
        ("Oracle_TrustAware", "RecoveryRace-v0", [100.0] * 2),
        ("Oracle_TrustAware", "CooperativeNegotiation-v0", [100.0] * 2),
        ("Oracle_TrustAware", "ReputationMarket-v0", [100.0] * 5),
        ("Oracle_Nash", "TeamProduction-v0", [34.24] * 4),
        ("Oracle_Nash", "LoyaltyTeam-v0", [34.24] * 4),
        ("Oracle_Nash", "CoalitionFormation-v0", [5.91] * 6),
        ("Oracle_Nash", "PublicGoods-v0", [50.0] * 5),
        ("Oracle_SocialOptimum", "TeamProduction-v0", [50.0] * 4),
        ("Oracle_SocialOptimum", "PublicGoods-v0", [50.0] * 5),
        ("Oracle_Loyalty", "LoyaltyTeam-v0", [50.0] * 4),
        ("Oracle_Loyalty", "CoalitionFormation-v0", [50.0] * 6),
    ],
)
def test_published_profiles_are_played_in_the_released_edition(name: str, id: str, published: list[float]) -> None:
    assert first_actions(name, id) == pytest.approx(published, abs=SINGLE_PRECISION)


def test_two_sellers_of_the_published_trust_aware_oracle_reach_the_premium_tier_a_step_later() -> None:
    episodes = self_play("Oracle_TrustAware", make_game("ReputationMarket-v0"))
    assert actions(episodes)[0] == pytest.approx([99.99998] * 2 + [99.99999] * 3, abs=4e-6)
    assert episodes.returns["integrated"].sum() == pytest.approx(139953.024, rel=1e-6)


@pytest.mark.parametrize(
    ("id", "published"),
    [
        ("ReciprocalDilemma-v0", [25.2, 25.2]),
        ("GiftExchange-v0", [25.2, 26.5]),
        ("IndirectReciprocity-v0", [19.8] * 4),
        ("GraduatedSanction-v0", [16.4] * 6),
        ("AppleAppStore-v0", [21.6, 22.0, 21.9]),
    ],
)
def test_the_published_reciprocity_equilibria(id: str, published: list[float]) -> None:
    played = first_actions("Oracle_ReciprocityEquilibrium", id)
    assert played == pytest.approx(published, abs=0.05 + SINGLE_PRECISION)


def test_the_published_nash_effort_of_forty_contributors_is_next_to_nothing() -> None:
    agent = begun("Oracle_Nash", make_game("ApacheProject-v0"))
    assert agent.solution.shares[0] * 50.0 == pytest.approx(0.0029, abs=1e-4)


@pytest.mark.parametrize(("id", "steps"), [("PartnerHoldUp-v0", 3), ("PlatformEcosystem-v0", 4)])
def test_the_published_equilibrium_ends_two_games_early(id: str, steps: int) -> None:
    assert self_play("Oracle_Equilibrium", make_game(id)).lengths[0] == steps


@pytest.mark.parametrize(
    ("id", "percent"),
    [
        ("ReciprocalDilemma-v0", 99.5),
        ("GiftExchange-v0", 99.5),
        ("IndirectReciprocity-v0", 99.4),
        ("GraduatedSanction-v0", 99.8),
        ("AppleAppStore-v0", 98.8),
    ],
)
def test_published_bounded_reciprocity_falls_to_the_baseline_and_short_of_the_best_constant(
    id: str, percent: float
) -> None:
    game = make_game(id)
    episodes = self_play("Oracle_BoundedReciprocity", game)
    path, start = actions(episodes), game.spec.baselines + 0.4 * (game.spec.endowments - game.spec.baselines)
    assert path[0] == pytest.approx(start - 0.05 * (start - game.spec.baselines))
    assert path[1] == pytest.approx(path[0] - 0.05 * (path[0] - game.spec.baselines))
    assert (np.diff(path, axis=0) < 0.0).all()
    assert (path > game.spec.baselines).all()
    # Published constants take their share of the largest endowment and saturate.
    level = np.linspace(0.0, 1.0, 101)[:, None] * game.spec.endowments.max() / game.spec.endowments
    held = np.minimum(level, 1.0)
    constant = plan_returns(game, repeated(game, initial_state(game), (101,)), held, [reward_layer("integrated")])[0]
    share = episodes.returns["integrated"].sum() / constant.sum(-1).max()
    assert 100.0 * share == pytest.approx(percent, abs=0.06)


def test_the_first_published_moves_of_bounded_reciprocity() -> None:
    path = actions(self_play("Oracle_BoundedReciprocity", make_game("ReciprocalDilemma-v0", max_steps=2)))
    assert path[:, 0] == pytest.approx([56.6, 55.3], abs=0.05)


# As computed


@pytest.mark.parametrize("id", games("formal"))
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Oracle_Nash", "nash"),
        ("Oracle_Equilibrium", "coopetitive_T1"),
        ("Oracle_TrustAware", "coopetitive_T0"),
    ],
)
def test_stage_equilibria_are_those_of_the_certificate(id: str, name: str, key: str) -> None:
    record = CERTIFICATES[id]
    solution = begun(name, make_game(id)).solution
    assert solution.definition == "computed"
    assert solution.shares[0] == pytest.approx(np.repeat(record[key], record["groups"]), abs=2e-5)
    assert solution.residual is not None
    assert solution.residual < 1e-6


def gains(game: AnyGame, state: Any, profile: FloatArray, reward: str) -> FloatArray:
    """What each seat gains at most by leaving a profile alone for one step, on a grid of 2001 shares."""
    grid = np.linspace(0.0, 1.0, 2001)
    layer = reward_layer(reward)

    def utilities(shares: FloatArray) -> FloatArray:
        units = shares * game.spec.endowments
        return layer(Step(game, 0, state, units, game.stage(game.at_steady_state(state, units), units)))

    best = np.empty(game.n_agents)
    for seat in range(game.n_agents):
        tried = np.repeat(profile[None], len(grid), axis=0)
        tried[:, seat] = grid
        best[seat] = utilities(tried)[:, seat].max()
    return best - utilities(profile)


@pytest.mark.parametrize("id", ["SLCD-v1", "GiftExchange-v1", "CoalitionFormation-v1", "TrustDilemma-v0"])
def test_nobody_gains_by_leaving_the_nash_equilibrium(id: str) -> None:
    game = make_game(id)
    solution = begun("Oracle_Nash", game, mode="computed").solution
    gain = gains(game, initial_state(game), solution.shares[0], "private")
    assert gain.max() < 1e-8 * game.spec.endowments.mean()
    assert solution.regret == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("id", ["LoyaltyTeam-v1", "CoalitionFormation-v1", "PublicGoods-v1"])
def test_loyal_teams_are_in_equilibrium_and_work_more_than_less_loyal_ones(id: str) -> None:
    game = make_game(id)
    profile = begun("Oracle_Loyalty", game).solution.shares[0]
    state = initial_state(game, trust=1.0, damage=0.0, loyalty=0.9)
    assert gains(game, state, profile, "integrated").max() < 1e-8
    assert (profile > begun("Oracle_Equilibrium", game).solution.shares[0] + 0.05).all()


def test_the_loyalty_of_the_apache_project_is_measured_by_its_own_maximum() -> None:
    game = make_game("ApacheProject-v1", phase="emergence", loyalty_max=0.8)
    profile = begun("Oracle_Loyalty", game).solution.shares[0]
    assert gains(game, initial_state(game, trust=1.0, damage=0.0, loyalty=0.72), profile, "integrated").max() < 1e-8
    assert gains(game, initial_state(game, trust=1.0, damage=0.0, loyalty=0.9), profile, "integrated").max() > 1e-4


@pytest.mark.parametrize(
    "id", [id for id in games("formal") if "Oracle_BoundedReciprocity" in applicable_oracles(make_game(id))]
)
def test_at_the_reciprocity_equilibrium_nobody_gains_while_everybody_remembers_it(id: str) -> None:
    game = make_game(id)
    solution = begun("Oracle_ReciprocityEquilibrium", game).solution
    profile = solution.shares[0]
    trust = min(0.95, game.spec.parameters.initial_trust + 0.35)  # type: ignore[attr-defined]  # formal parameters have it
    stocks = {"image": profile} if id.startswith("Indirect") else {}
    state = initial_state(game, trust=trust, damage=0.0, memory=np.tile(profile, (game.parameters.memory, 1)), **stocks)  # type: ignore[attr-defined]  # so do reciprocal ones
    assert gains(game, state, profile, "integrated").max() < 1e-8
    assert solution.residual is not None
    assert solution.residual < 1e-7


@pytest.mark.parametrize(
    ("name", "reward"),
    [
        ("Oracle_SocialOptimum", "private"),
        ("Oracle_BestConstant", "integrated"),
        ("Oracle_BestConstant", "cooperative"),
    ],
)
def test_optimal_constants_beat_every_common_level_and_every_single_change(name: str, reward: str) -> None:
    game = make_game("RenaultNissan-v1", max_steps=20)
    profile = begun(name, game, reward=reward).solution.shares[0]
    common = np.repeat(np.linspace(0.0, 1.0, 101)[:, None], 2, axis=1)
    steps = 0.01 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1]])
    others = np.concatenate([profile[None], common, np.clip(profile + steps, 0.0, 1.0)])
    start = repeated(game, initial_state(game), (len(others),))
    totals = plan_returns(game, start, others, [reward_layer(reward)])[0].sum(-1)
    assert totals[0] >= totals[1:].max() - 1e-9


def test_nobody_gains_by_leaving_a_commitment_for_another() -> None:
    game = make_game("SLCD-v1", max_steps=30)
    for reward in ("private", "integrated"):
        profile = begun("Oracle_CommitmentNash", game, reward=reward).solution.shares[0]
        for seat in range(2):
            tried = np.repeat(profile[None], 102, axis=0)
            tried[1:, seat] = np.linspace(0.0, 1.0, 101)
            start = repeated(game, initial_state(game), (102,))
            returns = plan_returns(game, start, tried, [reward_layer(reward)])[0][:, seat] / 30
            assert returns[1:].max() - returns[0] < 1e-3


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Plans made up on the spot instead of searched for; the rewards that were asked for."""
    asked: list[str] = []

    def plan(game: AnyGame, reward: str) -> SimpleNamespace:
        asked.append(reward)
        shares = np.random.default_rng(0).random((game.spec.horizon, game.n_agents))
        facts = {"status": "converged", "value": 1.0, "agreeing": 1, "restarts": 1, "residual": 0.0}
        return SimpleNamespace(shares=shares, reward=reward, **facts)

    monkeypatch.setattr(planner, "plan", plan)
    monkeypatch.setattr(base, "_SOLUTIONS", {})
    return asked


def test_the_planner_plays_the_plan_of_its_reward_step_by_step(planned: list[str]) -> None:
    game = make_game("PartnerHoldUp-v1", max_steps=3)
    agents = [make_agent("Oracle_Planner") for _ in range(2)]
    episodes = play(game, agents, reward="private", record=True)
    assert actions(episodes) == pytest.approx(np.random.default_rng(0).random((3, 2)) * game.spec.endowments)
    assert planned == ["private"]


def test_planners_keep_the_promises_of_agents(planned: list[str]) -> None:
    check_agent("Oracle_Planner")


@pytest.mark.parametrize("name", ["Oracle_Nash", "Oracle_Equilibrium", "Oracle_TrustAware", "Oracle_Loyalty"])
def test_equal_agents_do_the_same(name: str) -> None:
    played = actions(self_play(name, make_game("LoyaltyTeam-v1", max_steps=6)))
    assert np.ptp(played, axis=1).max() < 1e-6


# Following the state


def test_trust_aware_play_stays_in_equilibrium_as_trust_falls() -> None:
    game = make_game("TrustDilemma-v1", max_steps=25)
    episodes = self_play("Oracle_TrustAware", game)
    shares = actions(episodes) / game.spec.endowments
    assert shares[20, 0] < shares[0, 0] - 0.02
    for t in (0, 10, 20):
        state = state_after(game, shares[:t], initial_state(game))
        expected = find_equilibria(StageGame(game, "integrated", state)).only().profile
        assert shares[t] == pytest.approx(expected, abs=1e-6)


def test_trust_aware_play_answers_a_partner_who_keeps_faith() -> None:
    game = make_game("SLCD-v1", max_steps=30)
    against = {
        partner: play(game, [make_agent("Oracle_TrustAware"), make_agent(partner)], views="own", record=True)
        for partner in ("Constant_90", "Constant_05")
    }
    generous, mean = (actions(episodes)[:, 0] for episodes in against.values())
    assert generous[0] == mean[0]
    assert (generous[1:] > mean[1:]).all()
    assert generous[-1] > generous[0] > mean[-1]


def test_trust_aware_rows_are_solved_each_in_its_own_state() -> None:
    game, rng = make_game("AppleAppStore-v1"), np.random.default_rng(3)
    states = repeated(game, initial_state(game), (4,))
    states = state_after(game, rng.random((6, 4, 3)), states)
    together = following_equilibria(game, states, np.full((4, 3), 0.2))
    for row, profile in enumerate(together):
        own = type(states)(**{name: array[row] for name, array in state_arrays(states).items()})
        assert gains(game, own, profile, "integrated").max() < 1e-8


@pytest.mark.parametrize("id", ["ReciprocalDilemma-v1", "GiftExchange-v1", "IndirectReciprocity-v1"])
def test_bounded_reciprocity_follows_its_recursion(id: str) -> None:
    game = make_game(id, max_steps=12)
    shares = actions(self_play("Oracle_BoundedReciprocity", game)) / game.spec.endowments
    norm = game.spec.baselines / game.spec.endowments
    first, level = initial_state(game), norm + 0.4 * (1.0 - norm)
    followed = unroll(game, open_loop(game, shares), start=first, draws=NOMINAL)
    met = [(first, first.last_action), *((step.before, shares[step.t]) for step in followed)]
    for played, (before, conduct) in zip(shares, met, strict=False):
        effects = game.effects(before, conduct)  # type: ignore[attr-defined]  # reciprocal games have them
        level = np.clip(level + 0.12 * effects.sum(-1) - 0.05 * (level - norm), 0.0, 1.0)
        assert played == pytest.approx(level, abs=1e-12)


# Choosing, sharing, refusing


def test_all_seats_and_later_plays_share_one_solution() -> None:
    game = make_game("PlatformEcosystem-v1", max_steps=7)
    agents = [begun("Oracle_Nash", game, seat=seat) for seat in range(5)]
    assert len({id(agent.solution) for agent in agents}) == 1
    other = begun("Oracle_Nash", make_game("PlatformEcosystem-v1", max_steps=7, gamma=1.0))
    assert other.solution is not agents[0].solution


def test_of_several_commitment_equilibria_the_best_paying_is_played_unless_asked_otherwise() -> None:
    game = make_game("SLCD-v1", max_steps=60)
    best = begun("Oracle_CommitmentNash", game)
    found = find_equilibria(CommitmentGame(game, "integrated")).found
    assert len(found) > 1
    assert begun("Oracle_CommitmentNash", game, select="welfare").solution.shares[0] == pytest.approx(found[-1].profile)
    assert best.solution.shares[0] == pytest.approx(found[-1].profile)
    assert found[-1].welfare == max(one.welfare for one in found)
    with pytest.raises(ValueError, match=f"nothing to play with select='only', found {len(found)}"):
        begun("Oracle_CommitmentNash", game, select="only")


def test_oracles_apply_where_their_mechanism_exists() -> None:
    assert "Oracle_Loyalty" not in applicable_oracles(make_game("TrustDilemma-v1"))
    assert "Oracle_Loyalty" in applicable_oracles(make_game("PublicGoods-v1"))
    assert "Oracle_BoundedReciprocity" in applicable_oracles(make_game("AppleAppStore-v0"))
    assert applicable_oracles(make_game("GiftExchange-v1")) == tuple(
        oracle.title() for oracle in ORACLES if oracle.title() != "Oracle_Loyalty"
    )


@pytest.mark.parametrize("name", ["Oracle_Loyalty", "Oracle_ReciprocityEquilibrium", "Oracle_BoundedReciprocity"])
def test_without_the_mechanism_an_oracle_refuses_and_says_where_it_plays(name: str) -> None:
    place = "LoyaltyTeam-v1" if name == "Oracle_Loyalty" else "GraduatedSanction-v1"
    with pytest.raises(ValueError, match=f"{name} with mode='auto' does not apply to SLCD-v1; it plays .*{place}"):
        begun(name, make_game("SLCD-v1"))


def test_the_published_definitions_are_refused_outside_the_released_edition() -> None:
    with pytest.raises(ValueError, match="mode='reference' does not apply to TeamProduction-v1; it plays TeamProd"):
        begun("Oracle_Nash", make_game("TeamProduction-v1"), mode="reference")
    with pytest.raises(ValueError, match="mode='computed' does not apply to LoyaltyTeam-v0; it plays LoyaltyTeam-v1"):
        begun("Oracle_Loyalty", make_game("LoyaltyTeam-v0"), mode="computed")


def test_released_games_without_a_published_definition_are_computed() -> None:
    assert begun("Oracle_Nash", make_game("SLCD-v0")).solution.definition == "computed"
    assert begun("Oracle_Nash", make_game("TeamProduction-v0")).solution.definition == "reference"


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="mode='published': expected one of auto, reference, computed"):
        make_agent("Oracle_Nash", mode="published")
    with pytest.raises(ValueError, match="select='best': expected one of stable, welfare, only"):
        make_agent("Oracle_CommitmentNash", select="best")
    with pytest.raises(TypeError, match="cannot be made with"):
        make_agent("Oracle_SocialOptimum", select="stable")


def test_a_game_that_is_not_registered_is_refused() -> None:
    seat = Seat.of(make_game("SLCD-v1"), 0, "own", "private")
    foreign = dataclasses.replace(seat, game=dataclasses.replace(seat.game, id="MyGame-v0"))
    with pytest.raises(ValueError, match=r"'MyGame-v0' is not a registered game .* coopgym.games\(\) lists"):
        make_agent("Oracle_Nash").begin(foreign, 1, np.random.default_rng(0))


def test_a_state_without_equilibrium_is_refused_rather_than_played_by_guess() -> None:
    game = make_game("CooperativeNegotiation-v1")
    state = state_after(game, [np.array([90.0, 90.0]) / game.spec.endowments] * 12, initial_state(game))
    with pytest.raises(ValueError, match=r"no coopetitive equilibrium in the present state \(residual .* regret"):
        following_equilibria(game, repeated(game, state, (1,)), np.full((1, 2), 0.3))


def test_following_the_state_needs_a_view_of_the_partners() -> None:
    game = make_game("TrustDilemma-v1", max_steps=3)
    agents = [make_agent("Oracle_TrustAware") for _ in range(2)]
    with pytest.raises(ValueError, match="does not show partners' actions"):
        play(game, agents, views="minimal")


PROMISED = {
    (oracle.title(), edition): next(
        id
        for id in (f"ReciprocalDilemma-{edition}", f"LoyaltyTeam-{edition}")
        if oracle.title() in applicable_oracles(make_game(id))
    )
    for oracle in ORACLES
    if oracle is not Planner
    for edition in ("v0", "v1")
}
SOLVES_EVERY_STEP = ("Oracle_TrustAware", "v1")


@pytest.mark.parametrize(
    ("name", "id"),
    [
        pytest.param(key[0], id, marks=[pytest.mark.slow] if key == SOLVES_EVERY_STEP else [])
        for key, id in PROMISED.items()
    ],
)
def test_oracles_keep_the_promises_of_agents(name: str, id: str) -> None:
    check_agent(name, games=[id])


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.title())
def test_oracles_say_where_they_come_from(oracle: type[Oracle]) -> None:
    assert oracle.citation
    assert type(make_agent(oracle.title())) is oracle
