"""Games as one seat sees them among fixed partners, estimated from play and tried in the game."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.agents import make_agent
from coopgym.games.registry import make_game
from coopgym.oracles.tabular.abstraction import Abstraction, abstract_game, fidelity
from coopgym.oracles.tabular.situations import Situations


@pytest.fixture(scope="module")
def told() -> Abstraction:
    return abstract_game(make_game("TrustDilemma-v1"), [make_agent("TitForTat")], episodes=128)


def test_the_same_seed_gives_the_same_process(told: Abstraction) -> None:
    again = abstract_game(make_game("TrustDilemma-v1"), [make_agent("TitForTat")], episodes=128)
    np.testing.assert_array_equal(again.mdp.transition, told.mdp.transition)
    np.testing.assert_array_equal(again.mdp.reward, told.mdp.reward)


def test_time_does_not_run_backwards_and_episodes_end_late(told: Abstraction) -> None:
    _, _, time = told.situations.parts(told.known)
    moves = told.mdp.transition[:-1].sum(1)
    assert not moves[:, :-1][time[:, None] > time[None, :]].any()
    assert not moves[time < told.situations.times - 1, -1].any()
    assert moves[time == told.situations.times - 1, -1].sum() > 0.0


def test_episodes_last_about_as_long_as_in_the_game(told: Abstraction) -> None:
    # A part of the episode lasts a random time in the process, which discounting makes shorter.
    counting = told.mdp.rewarded(np.r_[np.ones((len(told.known), 7)), np.zeros((1, 7))])
    uniform = np.full((len(told.known) + 1, 7), 1.0 / 7.0)
    steps = float(told.start @ (uniform * counting.action_values(uniform)).sum(-1))
    in_game = (1.0 - counting.gamma**100) / (1.0 - counting.gamma)
    assert steps == pytest.approx(in_game, rel=0.15)


def test_promises_are_kept_within_the_stated_error(told: Abstraction) -> None:
    far = fidelity(told, episodes=16)
    assert far.policies[0] == "optimal"
    assert 0.0 < far.mean_error < 0.25
    assert far.mean_error <= far.largest_error
    assert np.corrcoef(far.promised, far.played)[0, 1] > 0.8


def test_situations_that_did_not_occur_are_taken_for_near_ones(told: Abstraction) -> None:
    assert told.state_of.shape == (told.situations.count,)
    np.testing.assert_array_equal(told.state_of[told.known], np.arange(len(told.known)))


def test_words_name_the_bins() -> None:
    bins = Situations((0.25, 0.5, 0.75), times=2)
    assert bins.words(0) == "trust in bin 1 of 4, partner below baseline, part 1 of 2"
    assert bins.trust_range(bins.count - 1) == (0.75, 1.0)
    partner = np.array([0.1, 0.3, 0.5])
    assert bins.index(np.array([0.1] * 3), partner, 0.3, 99, 100).tolist() == [1, 3, 5]


@pytest.mark.parametrize("wrong", [{"levels": 1}, {"trust_bins": 0}, {"time_bins": 0}, {"seat": 5}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        abstract_game(make_game("TrustDilemma-v1"), [make_agent("TitForTat")], **wrong)


def test_partners_must_fill_all_other_seats() -> None:
    with pytest.raises(ValueError, match="expected 4 agents"):
        abstract_game(make_game("LoyaltyTeam-v1"), [make_agent("TitForTat")], episodes=2)
