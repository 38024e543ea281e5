"""Distances of rewards in the suite's games, the command that shows them, and cards of transforms."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
from typer.testing import CliRunner, Result

from coopgym.algorithms.reward_models.endogenous import Clones, Endogenous
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.experiments.rewards.cards import transform_cards
from coopgym.benchmarks.experiments.rewards.comparison import Coverage, classical_scaling, compare
from coopgym.games.registry import games, make_game
from coopgym.games.step import Step
from coopgym.rewards import Private, RewardLayer, RewardMode, Rewards, Shaping, SocialValueOrientation

SMALL = Coverage(episodes=24, resamples=20)


@pytest.mark.parametrize("id", games())
def test_shaping_is_at_no_distance_in_any_game(id: str) -> None:
    game = make_game(id, max_steps=12)
    coverage = Coverage(episodes=96, resamples=5)
    found = compare(game, ["private", "private + shaping(trust)"], coverage, seats=[0, game.n_agents - 1])
    assert found.distance.max() == 0.0
    assert found.low.max() == found.high.max() == 0.0


def test_shaping_by_the_mean_of_all_trust_is_at_no_distance_from_any_mode() -> None:
    shaped = "cooperative + shaping(mean_trust, weight=5)"
    found = compare(make_game("TrustDilemma-v1"), ["cooperative", shaped, "private"], SMALL)
    assert (found.distance[:, 0, 1] == 0.0).all()
    npt.assert_allclose(found.distance[:, 0, 2], found.distance[:, 1, 2], atol=1e-6)
    assert (found.low[:, 0, 2] > 0.05).all()


def test_a_potential_for_another_discount_is_seen() -> None:
    found = compare(make_game("TrustDilemma-v1"), ["private", "private + shaping(trust, weight=5, gamma=0.5)"], SMALL)
    assert (found.low[:, 0, 1] > 0.05).all()


@dataclass(frozen=True)
class Reversed(RewardMode):
    """Everybody loses what they earn."""

    name = "reversed"

    def __call__(self, step: Step) -> np.ndarray:
        return -step.transition.payoffs


def test_equal_wishes_are_nowhere_apart_and_opposite_ones_two() -> None:
    same: list[str | RewardLayer] = [Private(), "mutuality=0", SocialValueOrientation(0.0), "matrix=2,0;0,3"]
    found = compare(make_game("RecoveryRace-v1"), [*same, Reversed()], SMALL)
    npt.assert_allclose(found.distance[:, 0], [[0.0, 0.0, 0.0, 0.0, 2.0]] * 2, atol=1e-6)


def test_the_axis_leads_on_from_private() -> None:
    degrees = [f"mutuality={degree:g}" for degree in (0.0, 0.3, 0.6, 1.0)]
    found = compare(make_game("TeamProduction-v1"), [*degrees, "cooperative"], SMALL)
    assert (np.diff(found.distance[:, 0, :4], axis=-1) > 0.0).all()
    npt.assert_allclose(found.distance[:, 3, 4], 0.0, atol=1e-6)


def test_intervals_hold_what_more_episodes_come_to() -> None:
    game, rewards = make_game("RecoveryRace-v1"), ["private", "integrated", "cooperative"]
    few, many = (compare(game, rewards, Coverage(episodes)) for episodes in (96, 1536))
    wide = few.high - few.low
    assert (np.abs(many.distance - few.distance) <= wide).all()
    assert ((many.high - many.low) <= wide).all()


def test_seats_are_measured_alike_alone_and_together() -> None:
    game, rewards = make_game("AppleAppStore-v1"), ["private", "integrated"]
    together, alone = compare(game, rewards, SMALL), compare(game, rewards, SMALL, seats=[2])
    assert together.between(2, 0, 1).value == pytest.approx(alone.between(2, 0, 1).value, abs=1e-9)


def test_episodes_that_break_up_early_count_to_their_end() -> None:
    found = compare(make_game("PartnerHoldUp-v0"), ["private", "private + shaping(trust)", "cooperative"], SMALL)
    assert (found.distance[:, 0, 1] == 0.0).all()
    assert (found.low[:, 0, 2] > 0.0).all()


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        (["private"], "1 reward to compare: expected at least two"),
        (["private", "cooperative", "private"], "'private' is given twice"),
        (["private", "coperative"], "did you mean 'cooperative'"),
        (["private", "matrix=1"], "1×1, but TrustDilemma-v1 has 2 agents"),
        (["cooperative", "private + shaping(mean_trust)"], "looks at the state"),
    ],
)
def test_what_cannot_be_compared_is_refused(rewards: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(make_game("TrustDilemma-v1"), rewards, SMALL)


@dataclass(frozen=True)
class Learnt(Shaping):
    """Shaping that would first have to learn."""

    learned = True


@dataclass(frozen=True)
class AtTheEnd(Shaping):
    """Shaping that would need whole episodes."""

    causal = False


@pytest.mark.parametrize(
    ("transform", "message"),
    [(Learnt("trust"), "here it has learned nothing"), (AtTheEnd("trust"), "needs whole episodes")],
)
def test_transforms_whose_rewards_are_not_there_yet_are_refused(transform: Shaping, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(make_game("TrustDilemma-v1"), ["private", Rewards(Private(), (transform,))], SMALL)


def test_a_coverage_is_checked() -> None:
    with pytest.raises(ValueError, match="episodes=1: expected at least 2"):
        Coverage(episodes=1)
    with pytest.raises(ValueError, match=r"gamma=1.0: expected a number in \[0, 1\)"):
        Coverage(gamma=1.0)


def test_a_map_keeps_distances_that_fit_a_plane() -> None:
    points = np.random.default_rng(0).normal(size=(5, 2))
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    drawn = classical_scaling(apart)
    npt.assert_allclose(np.linalg.norm(drawn[:, None] - drawn, axis=-1), apart, atol=1e-9)


# The commands


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["reward", *arguments])


def test_the_command_shows_distances_and_writes_a_page_and_its_numbers(tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    result = called(
        "compare", "TrustDilemma-v1", "private", "cooperative", "private + shaping(trust)",
        "--episodes", "24", "--set", "max_steps=20", "-o", str(page),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "TrustDilemma-v1, seat 1" in result.output
    assert "24 episodes of uniform actions" in result.output
    rows = list(csv.DictReader(page.with_suffix(".csv").read_text(encoding="utf-8").splitlines()))
    game = make_game("TrustDilemma-v1", max_steps=20)
    found = compare(game, ["private", "cooperative", "private + shaping(trust)"], Coverage(24))
    assert [row["seat"] for row in rows] == ["0", "0", "0", "1", "1", "1"]
    assert float(rows[0]["distance"]) == pytest.approx(found.distance[0, 0, 1])
    assert "Map of rewards of seat 1" in page.read_text(encoding="utf-8")


def test_one_seat_may_be_asked_for() -> None:
    result = called("compare", "TrustDilemma-v0", "private", "cooperative", "--seat", "1", "--episodes", "8")
    assert result.exit_code == 0, result.output
    assert "seat 1" in result.output
    assert "seat 0" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TrustDilema-v1", "private", "cooperative"], "did you mean 'TrustDilemma-v1'"),
        (["TrustDilemma-v1", "private"], "expected at least two"),
        (["TrustDilemma-v1", "private", "cooperative", "--seat", "2"], "seat 2: TrustDilemma-v1 has seats 0 to 1"),
        (["TrustDilemma-v1", "private", "cooperative", "--episodes", "0"], "episodes=0"),
        (["ApacheProject-v1", "private", "cooperative", "--episodes", "4"], "play more episodes"),
        (["TrustDilemma-v1", "private", "cooperative", "-o", "map.csv"], "expected the name of an HTML file"),
        (["TrustDilemma-v1", "private", "private + shapin(trust)"], "did you mean 'shaping'"),
    ],
)
def test_mistakes_are_told(arguments: list[str], message: str) -> None:
    result = called("compare", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_the_list_shows_flags_and_measured_distances() -> None:
    result = called("list")
    assert result.exit_code == 0, result.output
    assert "mutuality=λ" in result.output
    assert "shaping(mean_trust)" in result.output
    cards = {card.text: card for card in transform_cards(SMALL)}
    own, mean = cards["shaping(trust)"], cards["shaping(mean_trust)"]
    assert (own.mode, mean.mode) == ("private", "integrated")
    assert own.flags == {
        "potential_based": True, "causal": True, "bounded_sum": True, "per_agent": True, "learned": False,
    }  # fmt: skip
    assert not mean.flags["per_agent"]
    for card in cards.values():
        if card.flags.get("potential_based"):
            assert card.distance is not None
            assert card.distance.value == card.distance.high == 0.0


def test_learned_rewards_are_compared_as_they_are_after_so_many_episodes() -> None:
    game, coverage = make_game("TrustDilemma-v1", max_steps=8), Coverage(episodes=32, resamples=20)
    learned = "cooperative + episodic + lare(layers=1)"
    found = compare(game, ["private", "cooperative", learned], coverage, [0], fitting=300)
    assert found.fitted == 320, "whole rounds of 32"
    assert "fitted on 320 such episodes before" in found.covered
    private, cooperative = found.of_seat(0)[2, :2]
    assert cooperative < private
    again = compare(game, ["private", "cooperative"], coverage, [0])
    assert again.fitted == 0
    npt.assert_allclose(again.of_seat(0), found.of_seat(0)[:2, :2], atol=1e-9)


def test_the_reward_inside_a_clone_is_compared_as_a_mode() -> None:
    game, grid = make_game("TrustDilemma-v1", max_steps=8), np.linspace(0.0, 1.0, 21)
    size = game.observe(game.initial_state(), "own").shape[-1]
    weights = np.zeros((2, size + 1, 1)), np.array([[[0.0], [20.0]]] * 2)
    generous = Clones(np.zeros((2, size)), np.ones((2, size)), *weights, -((grid - 0.9) ** 2)[None])
    inside = Endogenous(generous)
    found = compare(game, ["private", "cooperative", inside], Coverage(episodes=64, resamples=20))
    assert (found.distance[:, 1, 2] < found.distance[:, 0, 2]).all(), "who always gives looks cooperative"
