"""Methods with one advantage per rollout, and the rewards they start from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.llm.method.credit import (
    P2S,
    SCOPE,
    ArenaRL,
    BatchZ,
    BetaWeight,
    GroupCenter,
    GroupZ,
    GTAlign,
    Imitate,
    LeaveOneOut,
    PathReward,
    Rank,
)
from tests.algorithms.llm.credit.handmade import annotate, batch_of, example, outcomes_batch, rollout, rollout_numbers

near = pytest.approx


def test_group_zscore_matches_the_worked_example() -> None:
    inputs, expected = example("core.group_zscore/1")
    batch = outcomes_batch(inputs["x"], inputs["group"])
    assert rollout_numbers(batch, GroupZ().assign(batch)) == near(expected, abs=1e-6)


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6))
def test_leave_one_out_compares_with_the_others(rewards: list[float]) -> None:
    batch = outcomes_batch(rewards, [0] * len(rewards))
    others = [(sum(rewards) - own) / (len(rewards) - 1) for own in rewards]
    advantages = rollout_numbers(batch, LeaveOneOut().assign(batch))
    assert advantages == near(np.subtract(rewards, others), abs=1e-12)


def test_centring_is_of_the_reward_that_is_asked_for() -> None:
    batch = batch_of([rollout(outcome=1.0, correct=True), rollout("to", outcome=0.0)])
    for reward in ("outcome", "correct", "format"):
        assert rollout_numbers(batch, GroupCenter(reward=reward).assign(batch)) == [0.5, -0.5]


def test_batch_statistics_count_tokens_and_equal_groups_still_differ() -> None:
    batch = batch_of([rollout("a", (6,), outcome=1.0)], [rollout("a", (2,), outcome=0.0)])
    mean, deviation = 0.75, np.sqrt(8 * 0.75 * 0.25 / 7)
    expected = [(1.0 - mean) / deviation, (0.0 - mean) / deviation]
    assert rollout_numbers(batch, BatchZ().assign(batch)) == near(expected, abs=1e-6)


def test_beta_weight_matches_the_worked_examples() -> None:
    inputs, expected = example("bnpo.advantages/1")
    batch = outcomes_batch(inputs["reward"], inputs["group"])
    assert rollout_numbers(batch, BetaWeight().assign(batch)) == near(expected, abs=1e-6)
    inputs, expected = example("bnpo.advantages/3")
    batch = outcomes_batch(inputs["reward"], inputs["group"])
    assert rollout_numbers(batch, BetaWeight(low=-3.0, high=3.0).assign(batch)) == near(expected, abs=1e-6)


def test_decomposed_rewards_are_weighted_apart() -> None:
    inputs, expected = example("bnpo.decomposed/1")
    batch = outcomes_batch(inputs["rewards"][0], inputs["group"])
    for member, welfare in zip(batch.trajectories, inputs["rewards"][1], strict=True):
        member.signals["welfare"] = welfare
    assigner = BetaWeight(decomposed=("outcome", "welfare"))
    assert assigner.reads == {"welfare"}
    assert rollout_numbers(batch, assigner.assign(batch)) == near(expected, abs=1e-6)


def test_beta_weight_is_capped() -> None:
    rewards = [*[0.0] * 63, 1.0, *[0.5] * 20]  # one lucky rollout of a prompt of 64, far from all other prompts
    group = [*[0] * 64, *range(1, 21)]
    batch = outcomes_batch(rewards, group)
    lucky = [rollout_numbers(batch, BetaWeight(max_weight=cap).assign(batch))[63] for cap in (1e6, 10.0)]
    assert lucky[0] > lucky[1] == near(10.0 * 63 / 64)


@pytest.mark.parametrize("case", ["p2s.group_rewards/1", "p2s.group_rewards/2", "p2s.group_rewards/3"])
def test_path_rewards_match_the_worked_examples(case: str) -> None:
    inputs, expected = example(case)
    members = [
        rollout(format_ok=fine, correct=right, outcome=float(right))
        for fine, right in zip(inputs["format_ok"], inputs["correct"], strict=True)
    ]
    for member, path in zip(members, inputs["path_reward"], strict=True):
        member.signals["path_reward"] = path
    assert PathReward(cold_start=inputs["cold_start"])(batch_of(members)).tolist() == near(expected)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(-1e6, 1e6)), min_size=2, max_size=6))
def test_a_malformed_path_never_beats_a_well_formed_one(facts: list[tuple[bool, bool, float]]) -> None:
    members = [rollout(format_ok=fine, correct=right) for fine, right, _ in facts]
    for member, (_, _, path) in zip(members, facts, strict=True):
        member.signals["path_reward"] = path
    batch = batch_of(members)
    advantages = rollout_numbers(batch, P2S().assign(batch))
    fine = [advantage for advantage, (well_formed, _, _) in zip(advantages, facts, strict=True) if well_formed]
    broken = [advantage for advantage, (well_formed, _, _) in zip(advantages, facts, strict=True) if not well_formed]
    assert not fine or not broken or max(broken) < min(fine)


@pytest.mark.parametrize("case", ["single_elimination/2", "round_robin/1", "round_robin/2"])
def test_ranks_are_read_back_from_the_advantages_of_a_tournament(case: str) -> None:
    expected = example(f"arena.{case}")[1]["adv"]
    batch = batch_of([rollout() for _ in expected])
    for member, advantage in zip(batch.trajectories, expected, strict=True):
        member.signals["rank_adv"] = advantage
    tied = expected[0] == expected[-1] == 0.0
    places = np.argsort(np.argsort(-np.array(expected)))
    assert Rank()(batch).tolist() == near([0.0] * 3 if tied else 1.0 - places / (len(expected) - 1))
    assert rollout_numbers(batch, ArenaRL().assign(batch)) == near(expected, abs=3e-6)


def test_welfare_replaces_the_outcome() -> None:
    batch = batch_of([rollout(outcome=1.0), rollout(outcome=0.0)])
    for member, welfare in zip(batch.trajectories, (0.1, 0.9), strict=True):
        member.signals["welfare"] = welfare
    assert GTAlign().reads == {"welfare"}
    assert rollout_numbers(batch, GTAlign().assign(batch)) == near([-np.sqrt(0.5), np.sqrt(0.5)], abs=1e-5)


def test_repaired_members_are_told() -> None:
    helped = rollout("ta", (2, 2))
    helped.off_policy = np.array([False] * 4 + [True] * 2)
    batch = batch_of([helped, rollout(), rollout(), rollout(off_policy=np.zeros(6, dtype=bool))])
    assert SCOPE().assign(batch).metrics == {"repaired": 0.25}


def test_imitation_wants_all_written_tokens() -> None:
    batch = annotate(batch_of([rollout("tta"), rollout("a")]), np.random.default_rng(0))
    for member, row in zip(batch.trajectories, Imitate().assign(batch).adv["main"], strict=True):
        np.testing.assert_array_equal(row, member.mask)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GroupZ(eps=-1.0), "eps=-1.0"),
        (lambda: BetaWeight(low=1.0, high=1.0), "expected low below high"),
        (lambda: BetaWeight(max_weight=0.0), "max_weight=0.0"),
        (lambda: PathReward(low=-1.0), "low=-1.0"),
    ],
)
def test_wrong_parameters_are_refused(make: type, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
