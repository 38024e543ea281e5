"""Rules of single formal games: dissolution, mechanics, phases, sizes, randomness, off switches and starts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.games.parameters import Parameters
from coopgym.games.state import state_arrays
from coopgym.play.engine import Engine
from tests.games.formal_play import (
    FloatArray,
    Game,
    after_random_play,
    constant,
    every_game,
    make,
    random_actions,
    rewards,
    rollout,
    start,
)

few = settings(max_examples=8, deadline=None)
plays = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 25))

# Dissolution


@pytest.mark.parametrize("mode", ["private", "integrated", "cooperative"])
@pytest.mark.parametrize(("game_id", "share"), [("TrustDilemma-v1", 0.0), ("PartnerHoldUp-v1", 0.0)])
def test_returns_do_not_depend_on_ending_at_dissolution(game_id: str, share: float, mode: str) -> None:
    returns, lengths = [], []
    for ends in (False, True):
        game = make(game_id, end_on_dissolution=ends)
        total, steps = np.zeros(2), 0
        for _, transition in rollout(game, start(game), constant(game, game.spec.horizon, share)):
            total, steps = total + rewards(game, transition, mode), steps + 1
            if transition.terminated:
                break
        returns.append(total)
        lengths.append(steps)
    np.testing.assert_allclose(returns[1], returns[0], rtol=1e-12)
    assert lengths[1] < lengths[0] == 100


def test_a_dissolved_relation_pays_the_outside_option_whatever_is_played() -> None:
    game = make("PartnerHoldUp-v1")
    gone = start(game, initial_state={"gone": 1.0, "asset": 0.3})
    transition = game.step(gone, np.array([120.0, 0.0]))
    # θ = 6, k = 2: the best an agent can do alone is a° = 2.
    np.testing.assert_allclose(transition.payoffs, (np.array([120.0, 80.0]) - 2 * 2 + 6 * np.log(3)) / 100)
    assert transition.state.asset == 0.3
    np.testing.assert_array_equal(transition.state.trust, gone.trust)


def test_constant_defection_dissolves_trust_dilemma_in_four_steps() -> None:
    game = make("TrustDilemma-v1")
    gone = [float(step.state.gone) for _, step in rollout(game, start(game), constant(game, 6, 0.0))]
    assert gone == [0, 0, 0, 1, 1, 1]


# Rules of single games


def test_recovery_takes_as_long_as_documented() -> None:
    game = make("RecoveryRace-v1")
    for share, step in ((1.0, 48), (0.6, 61), (0.45, 97)):
        *_, (_, last) = rollout(game, start(game), constant(game, game.spec.horizon, share))
        assert game.diagnostics(last.state)["recovery_step"] == step


@few
@given(play=plays)
def test_damages_move_between_partners(play: tuple[int, int]) -> None:
    game, (seed, steps) = make("CooperativeNegotiation-v1"), play
    state = start(game, initial_state={"agreed": 1.0, "level": 0.8})
    paid = []
    for before, transition in rollout(game, state, random_actions(game, steps, seed=seed)):
        damages = game.step_diagnostics(before, transition.state.last_action * 100.0, transition)["damages"]
        np.testing.assert_allclose(damages.sum(), 0.0, atol=1e-12)
        welfare = game.joint_payoffs(before, transition.state.last_action).sum()
        np.testing.assert_allclose(transition.payoffs.sum(), welfare, rtol=1e-12)
        paid.append(damages)
    assert np.isfinite(paid).all()


def test_a_close_pair_agrees_and_a_shortfall_breaks_the_agreement() -> None:
    game = make("CooperativeNegotiation-v1")
    agreed = game.step(start(game), np.array([60.0, 65.0])).state
    assert (float(agreed.agreed), float(agreed.level)) == (1.0, pytest.approx(0.625))
    within = game.step(agreed, np.array([53.0, 70.0])).state
    assert (float(within.agreed), float(within.level)) == (1.0, pytest.approx(0.625))
    transition = game.step(agreed, np.array([10.0, 65.0]))
    assert float(transition.state.agreed) == float(transition.state.level) == 0.0
    damages = transition.payoffs - game.joint_payoffs(agreed, np.array([0.10, 0.65]))
    np.testing.assert_allclose(damages, [-2 * 0.425, 2 * 0.425])


@few
@given(play=plays)
def test_market_shares_sum_to_one(play: tuple[int, int]) -> None:
    game = make("ReputationMarket-v1")
    shares = game.market_shares(after_random_play(game, play[1], seed=play[0]))
    np.testing.assert_allclose(shares.sum(), 1.0, rtol=1e-12)
    assert (shares > 0).all()


@few
@given(play=plays)
def test_time_shares_are_mutual(play: tuple[int, int]) -> None:
    game = make("DynamicPartnerSelection-v1", choosiness=4.0)
    shares = game.time_shares(after_random_play(game, play[1], seed=play[0]))
    np.testing.assert_allclose(shares, shares.T, rtol=1e-12)
    np.testing.assert_array_equal(np.diag(shares), 0.0)
    assert (shares.sum(-1) <= 1.0 + 1e-12).all()


def test_developers_leave_a_bad_platform_and_return_to_a_good_one() -> None:
    game = make("PlatformEcosystem-v1", max_steps=400)
    actions = np.concatenate([constant(game, 20, 0.0), constant(game, 300, 1.0)])
    members, exits, returns = [], 0, 0
    for before, transition in rollout(game, start(game), actions):
        info = game.step_diagnostics(before, transition.state.last_action * game.spec.endowments, transition)
        members.append(transition.state.members.tolist())
        exits, returns = exits + int(info["exits"].sum()), returns + int(info["returns"].sum())
    assert members[0] == members[-1] == [1.0] * 5
    assert members[19] == [0.0] * 5
    assert exits == returns == 5


def test_free_riders_are_expelled_and_earn_their_way_back() -> None:
    game = make("CoalitionFormation-v1")
    one_rider = np.where(np.arange(6) == 0, 0.0, 0.8)
    actions = np.concatenate([constant(game, 40, one_rider), constant(game, 60, 0.8)])
    states = [transition.state for _, transition in rollout(game, start(game), actions)]
    expelled = next(step for step, state in enumerate(states) if state.members[0] == 0)
    assert states[expelled].timers[0] == 5
    assert states[39].members.tolist() == [0, 1, 1, 1, 1, 1]
    assert states[-1].members.tolist() == [1] * 6


def test_help_goes_round() -> None:
    game = make("IndirectReciprocity-v1")
    turns = [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2], [1, 2, 3, 0]
    for recipients, (state, _) in zip(turns, rollout(game, start(game), np.zeros((4, 4))), strict=True):
        info = game.diagnostics(state)
        assert info["recipient"].tolist() == recipients
        assert [recipients[donor] for donor in info["donor"]] == [0, 1, 2, 3]


def test_fines_grow_with_the_record() -> None:
    game = make("GraduatedSanction-v1")
    fines = [
        game.step_diagnostics(before, np.zeros(6), transition)["fines"][0]
        for before, transition in rollout(game, start(game), np.zeros((30, 6)))
    ]
    assert fines[0] == pytest.approx(0.15)
    assert np.all(np.diff(fines) > 0)
    assert fines[-1] < 0.60


def test_the_wage_is_paid_one_step_after_it_is_posted() -> None:
    game = make("GiftExchange-v1")
    state = start(game)
    generous, mean = (game.step(state, np.array([wage, 40.0])) for wage in (100.0, 0.0))
    np.testing.assert_array_equal(generous.payoffs, mean.payoffs)
    later = [game.step(transition.state, np.array([0.0, 40.0])).payoffs[1] for transition in (generous, mean)]
    assert later[0] > later[1]


# Phases and variants


@pytest.mark.parametrize(
    ("phase", "strong", "trust", "damage"),
    [
        ("formation", (0.78, 0.66), 0.45, 0.05),
        ("mature", (0.51, 0.66), 0.70, 0.02),
        ("crisis", (0.35, 0.72), 0.30, 0.45),
        ("strained", (0.28, 0.65), 0.40, 0.35),
    ],
)
def test_phases_of_the_alliance(phase: str, strong: tuple[float, float], trust: float, damage: float) -> None:
    game = make("RenaultNissan-v1", phase=phase)
    state = start(game)
    assert (game.interdependence[0, 1], game.interdependence[1, 0]) == strong
    assert state.trust[0, 1] == state.trust[1, 0] == trust
    assert state.damage[0, 1] == state.damage[1, 0] == damage
    assert game.diagnostics(state)["phase"] == phase
    assert make("RenaultNissan-v1", phase=phase, initial_trust=0.9).parameters.initial_trust == 0.9


@pytest.mark.parametrize(
    ("phase", "n_agents", "loyalty_max", "productivity", "normaliser", "effort"),
    [
        ("emergence", 8, 1.00, 1.76, 3.625, 35.0),
        ("growth", 15, 0.85, 1.62, 5.4625, 30.0),
        ("maturity", 40, 0.70, 1.36, 11.2375, 22.0),
        ("evolution", 35, 0.60, 1.22, 8.65, 18.0),
    ],
)
def test_phases_of_the_project(
    phase: str, n_agents: int, loyalty_max: float, productivity: float, normaliser: float, effort: float
) -> None:
    game = make("ApacheProject-v1", phase=phase)
    state = start(game)
    assert (game.n_agents, game.parameters.gamma) == (n_agents, productivity)
    np.testing.assert_allclose(state.loyalty, 0.5 * loyalty_max)
    assert game.reward_normaliser == pytest.approx(normaliser)
    assert game.diagnostics(state)["expected_effort"] == effort
    np.testing.assert_allclose(game.interdependence.sum(axis=1), 0.55)


SIZED = {
    "DynamicPartnerSelection-v1": "n_agents",
    "ReputationMarket-v1": "n_agents",
    "TeamProduction-v1": "n_agents",
    "LoyaltyTeam-v1": "n_agents",
    "CoalitionFormation-v1": "n_agents",
    "ApacheProject-v1": "n_agents",
    "PublicGoods-v1": "n_agents",
    "IndirectReciprocity-v1": "n_agents",
    "GraduatedSanction-v1": "n_agents",
    "PlatformEcosystem-v1": "n_developers",
}


@pytest.mark.parametrize(("game_id", "keyword"), SIZED.items())
@pytest.mark.parametrize("size", [2, 3, 7])
def test_groups_of_any_size(game_id: str, keyword: str, size: int) -> None:
    game = make(game_id, **{keyword: size})
    n = size + (keyword == "n_developers")
    assert game.n_agents == len(game.spec.roles) == n
    transition = game.step(start(game), random_actions(game, 1)[0])
    assert np.isfinite(rewards(game, transition, "integrated")).all()
    for view in game.views:
        assert game.observe(transition.state, view).shape == game.observation_bounds(view)[0].shape


def test_the_textbook_public_good_has_corner_solutions() -> None:
    game = make("PublicGoods-v1", q=0.0, theta=0.0)
    state, n = start(game), game.n_agents
    full, none = np.ones(n), np.zeros(n)
    lone = none.copy()
    lone[0] = 1.0
    rider = 1.0 - lone
    payoff = {name: game.payoffs(state, played) for name, played in (("full", full), ("none", none))}
    assert payoff["full"].sum() > payoff["none"].sum()
    np.testing.assert_allclose(payoff["full"], 2.0)
    np.testing.assert_allclose(payoff["none"], 1.0)
    assert game.payoffs(state, lone)[0] < payoff["none"][0]
    assert game.payoffs(state, rider)[0] > payoff["full"][0]


# Randomness


def test_games_are_deterministic_unless_asked_otherwise() -> None:
    for game_id in SIZED:
        game = make(game_id)
        assert game.reset_uniforms == game.reset_normals == game.step_normals == 0
    assert make("SynergySearch-v1").reset_uniforms == 1
    assert make("SynergySearch-v1", gamma_range=(2.0, 2.0)).initial_state((), None, np.array([0.7])).gamma == 2.0


def episode(game: Game, seed: int, steps: int = 5) -> tuple[FloatArray, FloatArray]:
    engine = Engine(game, "private")
    engine.reset(seed)
    paid, shown = [], [game.observe(engine.state, "own")]
    for action in constant(game, steps, 0.4):
        paid.append(engine.step(action)[1])
        shown.append(game.observe(engine.state, "own"))
    return np.stack(paid), np.stack(shown)


@every_game
def test_payoff_noise_follows_the_seed_and_never_moves_the_state(kind: type[Game]) -> None:
    quiet, noisy = make(kind.id), make(kind.id, payoff_noise=0.2)
    (first, shown), (again, _), (other, _) = (episode(noisy, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    exact, exact_shown = episode(quiet, 5)
    errors = first - exact
    assert errors.std() == pytest.approx(0.2, rel=0.6)
    if kind.id != "SynergySearch-v1":  # whose agents see their own payoffs
        np.testing.assert_array_equal(shown, exact_shown)


def test_blurred_scores_follow_the_seed_and_never_move_the_market() -> None:
    clear, blurred = make("ReputationMarket-v1"), make("ReputationMarket-v1", visibility=0.7)
    (paid, shown), (_, again), (_, other) = (episode(blurred, seed) for seed in (5, 5, 6))
    exact, clearly = episode(clear, 5)
    np.testing.assert_array_equal(paid, exact)
    np.testing.assert_array_equal(shown, again)
    assert (shown != other).any()
    score = clear.observation_columns("own", 0)["score"]
    blur = shown[..., score] - clearly[..., score]
    assert blur.std() == pytest.approx(0.3, rel=0.3)
    np.testing.assert_array_equal(blur, np.repeat(blur[:, :1], 5, axis=1))  # one draw, common to all


# Off switches: what the named mechanism does is gone, and nothing else has changed

GATED = ["TrustDilemma-v1", "RecoveryRace-v1", "SLCD-v1", "RenaultNissan-v1", "DynamicPartnerSelection-v1"]


@pytest.mark.parametrize("game_id", GATED)
def test_off_trust_is_not_material(game_id: str) -> None:
    for mechanism in (True, False):
        game = make(game_id, mechanism=mechanism)
        played = 0.5 * game.spec.endowments
        states = [start(game) for _ in range(2)]
        states[1] = dataclasses.replace(states[1], trust=np.where(np.eye(game.n_agents) > 0, 1.0, _uneven(game)))
        payoffs = [game.step(state, played).payoffs for state in states]
        assert np.array_equal(*payoffs) is not mechanism


def _uneven(game: Game) -> FloatArray:
    return np.random.default_rng(0).random((game.n_agents, game.n_agents))


def never(game: Game, stock: str, value: float) -> bool:
    """Whether a stock stays at its value for all agents under constant defection."""
    return all(
        np.all(getattr(transition.state, stock) == value)
        for _, transition in rollout(game, start(game), constant(game, 40, 0.0))
    )


@pytest.mark.parametrize(
    ("game_id", "stock", "value"),
    [
        ("TrustDilemma-v1", "gone", 0.0),
        ("PlatformEcosystem-v1", "members", 1.0),
        ("AppleAppStore-v1", "members", 1.0),
        ("CoalitionFormation-v1", "members", 1.0),
    ],
)
def test_off_nobody_leaves(game_id: str, stock: str, value: float) -> None:
    assert never(make(game_id, mechanism=False), stock, value)
    assert not never(make(game_id), stock, value)


RELATIONAL = ["LoyaltyTeam-v1", "ApacheProject-v1", "ReciprocalDilemma-v1", "GiftExchange-v1"]
RELATIONAL += ["IndirectReciprocity-v1", "AppleAppStore-v1"]


@pytest.mark.parametrize("game_id", RELATIONAL)
def test_off_no_relational_utility(game_id: str) -> None:
    for mechanism in (True, False):
        game = make(game_id, mechanism=mechanism)
        psi = game.step(start(game), 0.8 * game.spec.endowments).relational
        assert (psi is None or not psi.any()) is not mechanism


@pytest.mark.parametrize("game_id", ["CoalitionFormation-v1", "PublicGoods-v1", "GraduatedSanction-v1"])
def test_off_relational_utility_stays_where_it_is_not_the_mechanism(game_id: str) -> None:
    game = make(game_id, mechanism=False)
    psi = game.step(start(game), 0.6 * game.spec.endowments).relational
    assert psi is not None
    assert (psi != 0).all()


@pytest.mark.parametrize(
    ("game_id", "stock", "values"),
    [
        ("LoyaltyTeam-v1", "loyalty", (0.1, 0.9)),
        ("ApacheProject-v1", "loyalty", (0.1, 0.6)),
        ("ReputationMarket-v1", "score", None),
        ("IndirectReciprocity-v1", "image", (0.1, 0.9)),
        ("GraduatedSanction-v1", "record", (0.0, 1.0)),
    ],
)
def test_off_the_stock_pays_nothing(game_id: str, stock: str, values: tuple[float, float] | None) -> None:
    for mechanism in (True, False):
        game = make(game_id, mechanism=mechanism)
        spread = [np.full(game.n_agents, 0.5), np.linspace(0.0, 1.0, game.n_agents)] if values is None else values
        payoffs = [
            game.step(start(game, initial_state={stock: value}), 0.2 * game.spec.endowments).payoffs for value in spread
        ]
        assert np.allclose(*payoffs, rtol=0, atol=1e-12) is not mechanism


def test_off_contracts_are_complete() -> None:
    game = make("PartnerHoldUp-v1", mechanism=False)
    for buyer in (0.1, 0.9):
        after = game.step(start(game), np.array([buyer, 0.6]) * game.spec.endowments).state
        assert after.asset == pytest.approx(0.6)
        assert game.diagnostics(after)["supplier_share"] == pytest.approx(0.4)


def test_off_agreements_are_not_enforced() -> None:
    game = make("CooperativeNegotiation-v1", mechanism=False)
    agreed = {"agreed": 1.0, "level": 0.8}
    played = np.array([10.0, 80.0])
    bound, free = (game.step(start(game, **options), played) for options in ({"initial_state": agreed}, {}))
    np.testing.assert_array_equal(bound.payoffs, free.payoffs)
    np.testing.assert_array_equal(bound.state.trust, free.state.trust)


def test_off_own_effort_is_what_pays() -> None:
    own = {"TeamProduction-v1": lambda c: 1.55 * ((c + 1e-3) ** 0.55 - 1e-3**0.55), "PublicGoods-v1": lambda c: 2.0 * c}
    for game_id, product in own.items():
        game = make(game_id, mechanism=False)
        shares = np.linspace(0.0, 1.0, game.n_agents)
        np.testing.assert_allclose(
            game.payoffs(start(game), shares), game.own_value(start(game), shares) + product(shares)
        )


def test_off_the_synergy_weight_is_known() -> None:
    game = make("SynergySearch-v1", mechanism=False)
    assert game.reset_uniforms == 0
    assert start(game).gamma == 2.5


# Starts


@every_game
def test_every_state_entry_can_be_set_at_reset(kind: type[Game]) -> None:
    game = make(kind.id)
    natural = start(game, (2,))
    for name in state_arrays(natural):
        array, rng = getattr(natural, name), np.random.default_rng(1)
        chosen = rng.integers(1, 9, array.shape) if array.dtype == np.int64 else rng.random(array.shape)
        assert np.array_equal(getattr(start(game, (2,), initial_state={name: chosen}), name), chosen)
    with pytest.raises(ValueError, match=f"{kind.id} has no state 'nothing'"):
        start(game, initial_state={"nothing": 1.0})
    with pytest.raises(ValueError, match="cannot fill"):
        start(game, initial_state={"last_action": np.zeros(game.n_agents + 1)})
    with pytest.raises(ValueError, match=f"{kind.id}: state 't' counts; expected whole numbers, got 0.5"):
        start(game, initial_state={"t": 0.5})


def test_relations_at_reset_keep_the_diagonal() -> None:
    state = start(make("SLCD-v1"), initial_trust=0.2, initial_reputation=0.4)
    np.testing.assert_allclose(state.trust, [[1.0, 0.2], [0.2, 1.0]])
    np.testing.assert_allclose(state.damage, [[0.0, 0.4], [0.4, 0.0]])


@pytest.mark.parametrize("game_id", ["TrustDilemma-v1", "LoyaltyTeam-v1"])
def test_environments_of_a_batch_can_start_differently(game_id: str) -> None:
    state = start(make(game_id), (2,), initial_trust=[0.1, 0.9], initial_state={"last_action": [[0.2], [0.4]]})
    np.testing.assert_allclose(state.trust[:, 0, 1], [0.1, 0.9])
    np.testing.assert_allclose(state.trust[:, 1, 0], [0.1, 0.9])
    np.testing.assert_allclose(state.last_action[:, 1], [0.2, 0.4])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_matrix_given_at_reset_means_the_same_whatever_the_batch(size: int) -> None:
    state = start(make("SLCD-v1"), (size,), initial_trust=[[0.0, 0.9], [0.1, 0.0]])
    np.testing.assert_allclose(state.trust, [[[1.0, 0.9], [0.1, 1.0]]] * size)


def test_peak_trust_starts_from_the_trust_at_reset() -> None:
    game = make("RecoveryRace-v1")
    state = start(game)
    assert state.peak_trust == 0.25
    assert game.step(state, np.zeros(2)).state.peak_trust == 0.25
    assert start(game, initial_trust=0.4).peak_trust == pytest.approx(0.4)


def test_parameters_of_a_game_are_immutable_and_plain() -> None:
    game = make("SLCD-v1")
    assert isinstance(game.parameters, Parameters)
    assert game.parameter_dict()["share"] == (0.55, 0.45)
    with pytest.raises(dataclasses.FrozenInstanceError):
        game.parameters.gamma = 3.0
