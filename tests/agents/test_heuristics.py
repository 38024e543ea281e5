"""Scripted strategies, move by move."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from coopgym.agents import Agent, Seat, Strategy, agent_names, make_agent
from coopgym.agents.heuristics import (
    Constant,
    GenerousTitForTat,
    Gradual,
    GrimTrigger,
    ProportionalReciprocity,
    Random,
    ThresholdTitForTat,
    TitForTat,
    WinStayLoseShift,
)
from coopgym.games.registry import make_game
from coopgym.play import play
from coopgym.play.engine import Engine

C, D = 0.5, 0.0
"""What the strategies play when they cooperate and when they do not, as shares of endowment."""

STRATEGIES = [name for name in agent_names() if not name.startswith("Oracle_")]
"""Shipped agents that play in every game; oracles have tests of their own."""
DRAWING = {
    "Bandit_EXP3",
    "Bandit_EpsilonGreedy",
    "Bandit_Hedge",
    "Bandit_Portfolio",
    "Bandit_ThompsonBeta",
    "Bandit_ThompsonGauss",
    "Noisy",
    "Random",
    "ThompsonModels",
}
"""Those of them that play by chance."""

Script = Sequence[float | Sequence[float]]


def moves(agent: Agent, script: Script, id: str = "TrustDilemma-v1", seat: int = 0, **parameters: Any) -> list[float]:
    """Shares of endowment that an agent plays against partners who follow a script of shares."""
    game = make_game(id, **parameters)
    engine = Engine(game, batch=(1,))
    engine.reset(0)
    agent.begin(Seat.of(game, seat, "own", "private"), 1, np.random.default_rng(0))
    shares = np.empty((len(script), game.n_agents))
    for played, partners in zip(shares, script, strict=True):
        played[np.arange(game.n_agents) != seat] = partners
        observation = game.observe(engine.state, "own")[:, seat]
        played[seat] = np.asarray(agent.act(observation))[0]
        engine.step((played * game.spec.endowments)[None])
    return shares[:, seat].tolist()


def test_constants_never_move() -> None:
    assert moves(Constant(0.37), [0.0, 1.0, 0.5]) == pytest.approx([0.37] * 3)


def test_the_reference_constant_takes_its_share_of_the_largest_endowment_and_saturates() -> None:
    script = [(0.0, 0.0)] * 2
    assert moves(Constant(0.5), script, "AppleAppStore-v0", seat=2) == pytest.approx([0.5, 0.5])
    assert moves(Constant(0.3, joint_box=True), script, "AppleAppStore-v0", seat=2) == pytest.approx([0.5, 0.5])
    assert moves(Constant(0.6, joint_box=True), script, "AppleAppStore-v0", seat=2) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(("joint_box", "mean", "saturated"), [(False, 0.5, 0.0), (True, 0.7, 0.4)])
def test_random_play_covers_its_range(joint_box: bool, mean: float, saturated: float) -> None:
    game = make_game("AppleAppStore-v0")
    agent = Random(joint_box=joint_box)
    agent.begin(Seat.of(game, 2, "own", "private"), 20_000, np.random.default_rng(0))
    shares = agent.act(np.zeros((20_000, 15)))
    assert shares.min() >= 0.0
    assert shares.max() <= 1.0
    assert shares.mean() == pytest.approx(mean, abs=0.01)
    assert (shares == 1.0).mean() == pytest.approx(saturated, abs=0.01)


def test_tit_for_tat_opens_and_then_answers_what_it_saw() -> None:
    assert moves(TitForTat(), [0.2, 0.9, 0.0, 1.0]) == pytest.approx([0.5, 0.2, 0.9, 0.0])
    assert moves(TitForTat(opening_level=1.0), [0.2, 0.9]) == pytest.approx([1.0, 0.2])


@pytest.mark.parametrize(
    ("mode", "seat", "answer"),
    [("mean", 0, 0.5), ("min", 0, 0.2), ("neighbour", 0, 0.2), ("neighbour", 1, 0.8), ("neighbour", 2, 0.2)],
)
def test_tit_for_tat_answers_shares_of_unequal_partners(mode: str, seat: int, answer: float) -> None:
    script = [(0.2, 0.8)] * 2
    for edition in ("v0", "v1"):
        played = moves(TitForTat(mode=mode), script, f"AppleAppStore-{edition}", seat=seat)
        assert played == pytest.approx([0.5, answer], abs=1e-6)


def test_the_reference_tit_for_tat_mirrors_units_and_is_never_reset() -> None:
    game = make_game("AppleAppStore-v0")
    agents = [TitForTat(mode="reference") for _ in range(3)]
    single, endowments = np.float32, game.spec.endowments
    first, second = (play(game, agents, record=True).trajectory for _ in range(2))
    assert first is not None
    assert second is not None
    assert (single(first.actions[0, 0]) == single([50.0, 50.0, 50.0])).all()
    mirrored = np.minimum(np.roll(first.actions[:-1, 0], -1, axis=1), endowments)
    assert (single(first.actions[1:, 0]) == single(mirrored)).all()
    rotated_baselines = np.minimum(np.roll(game.spec.baselines, -1), endowments)
    assert (single(second.actions[0, 0]) == single(rotated_baselines)).all()


@pytest.mark.parametrize("id", ["PartnerHoldUp-v0", "PlatformEcosystem-v0"])
def test_rotated_baselines_end_the_reference_tit_for_tat_s_later_episodes_early(id: str) -> None:
    game = make_game(id)
    agents = [TitForTat(mode="reference") for _ in range(game.n_agents)]
    play(game, agents)
    assert play(game, agents).lengths[0] in (4, 5)


def test_generous_tit_for_tat_forgives_part_of_the_shortfall() -> None:
    agent = GenerousTitForTat(generosity=0.25)
    assert moves(agent, [0.2, 1.0, 0.0, 0.0]) == pytest.approx([0.5, 0.4, 1.0, 0.25])


def test_threshold_tit_for_tat_stays_above_its_norm_while_the_partner_keeps_to_its_own() -> None:
    agent = ThresholdTitForTat(margin=0.1)
    assert moves(agent, [0.3, 0.9, 0.29, 0.0, 0.3, 0.0]) == pytest.approx([0.4, 0.4, 0.4, 0.29, 0.0, 0.4])


def test_conduct_is_judged_against_the_partner_s_norm() -> None:
    norms = {"norm": (0.6, 0.2)}
    assert moves(GrimTrigger(), [0.3] * 3, **norms) == pytest.approx([0.6] * 3)
    assert moves(GrimTrigger(), [0.3] * 3, seat=1, **norms) == pytest.approx([C, D, D])


def test_grim_trigger_never_forgives() -> None:
    assert moves(GrimTrigger(), [C, 0.3, 0.29, C, 1.0]) == pytest.approx([C, C, C, D, D])


def test_a_miss_within_rounding_is_no_defection() -> None:
    assert moves(GrimTrigger(), [0.3 - 1e-7] * 3) == pytest.approx([C] * 3)


def test_win_stay_lose_shift_repeats_what_won_and_leaves_what_lost() -> None:
    # Reward: stay with C. Sucker: shift to D. Temptation: stay with D. Punishment: shift to C.
    assert moves(WinStayLoseShift(), [C, D, C, D, C]) == pytest.approx([C, C, D, D, C])
    assert moves(WinStayLoseShift(), [D] * 6) == pytest.approx([C, D, C, D, C, D])


def test_gradual_answers_the_nth_defection_with_n_rounds_and_two_of_calm() -> None:
    single = [C, D, *[C] * 6]
    assert moves(Gradual(), single) == pytest.approx([C, C, D, C, C, C, C, C])
    twice = [C, D, C, C, C, D, *[C] * 5]
    assert moves(Gradual(), twice) == pytest.approx([C, C, D, C, C, C, D, D, C, C, C])


def test_gradual_counts_defections_during_punishment_as_its_authors_do() -> None:
    expected = [C, D, C, C, *[D] * 4, C, C, *[D] * 10]
    assert moves(Gradual(), [D] * 20) == pytest.approx(expected)
    alternator = [C, D] * 9
    assert moves(Gradual(), alternator) == pytest.approx([C, C, D, C, C, C, D, D, D, C, C, C, *[D] * 6])


def test_proportional_reciprocity_moves_from_the_norm_by_the_partner_s_kindness() -> None:
    agent = ProportionalReciprocity(strength=2.0)
    assert moves(agent, [0.3, 0.4, 0.1, 0.9]) == pytest.approx([0.5, 0.3, 0.5, 0.0])
    assert moves(ProportionalReciprocity(opening_level=0.1, strength=0.0), [1.0, 0.0]) == pytest.approx([0.1, 0.3])


def test_the_cooperative_level_is_at_least_the_norm() -> None:
    assert moves(GrimTrigger(opening_level=0.1), [0.3] * 2) == pytest.approx([0.3, 0.3])


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"Random", "Constant"}))
def test_published_strategies_say_where_they_come_from_and_what_they_remember(name: str) -> None:
    agent = make_agent(name)
    assert isinstance(agent, Strategy)
    assert agent.citation
    assert (agent.classifier.memory_depth >= 1) == (name != "Oscillator"), "that one goes by the clock"
    assert agent.classifier.stochastic == (name in DRAWING)


@pytest.mark.parametrize("name", STRATEGIES)
def test_classifiers_tell_the_truth_about_memory(name: str) -> None:
    agent = make_agent(name)
    assert isinstance(agent, Strategy)
    if agent.classifier.stochastic or agent.classifier.memory_depth > 1:
        return
    # What came two rounds ago does not matter, given the own last move.
    script = [D, C, C, D, C]
    other = [C, C, C, D, C]
    if name != "WinStayLoseShift":
        assert moves(agent, script)[2:] == pytest.approx(moves(agent, other)[2:])


@pytest.mark.parametrize("name", STRATEGIES)
def test_agents_pickle_and_copy(name: str) -> None:
    agent = make_agent(name)
    script = [C, D, C, D, D]
    expected = moves(make_agent(name), script)
    for twin in (pickle.loads(pickle.dumps(agent)), copy.deepcopy(agent)):
        assert moves(twin, script) == expected


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Constant, {"level": 1.2}, "level=1.2: expected a share of endowment"),
        (TitForTat, {"mode": "max"}, "expected one of mean, neighbour, min, reference"),
        (TitForTat, {"opening_level": -0.1}, "opening_level=-0.1"),
        (GenerousTitForTat, {"generosity": float("nan")}, "generosity=nan"),
        (ThresholdTitForTat, {"margin": 2.0}, "margin=2.0"),
        (ProportionalReciprocity, {"strength": -1.0}, "strength=-1.0: expected a finite number of at least 0"),
    ],
)
def test_bad_options_are_refused(kind: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**options)


def test_strategies_say_when_a_view_hides_their_partners() -> None:
    game = make_game("TrustDilemma-v1")
    agent = TitForTat()
    agent.begin(Seat.of(game, 0, "minimal", "private"), 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="use view='own' or 'full'"):
        agent.act(game.observe(game.initial_state((1,)), "minimal")[:, 0])


def test_there_is_no_seat_beyond_the_last() -> None:
    with pytest.raises(ValueError, match="has seats 0 to 1"):
        Seat.of(make_game("TrustDilemma-v1"), 2, "own", "private")
