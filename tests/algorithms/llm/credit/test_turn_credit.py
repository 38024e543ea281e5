"""Methods with one advantage per turn."""

import numpy as np
import pytest

from coopgym.algorithms.llm.kernels import igpo, siop
from coopgym.algorithms.llm.method.credit import IGPO, SIOP, MatchTIR, PPRReturns, ProRAG
from tests.algorithms.llm.credit.handmade import (
    batch_of,
    example,
    outcomes_batch,
    rollout,
    rollout_numbers,
    turn_numbers,
)

near = pytest.approx


def assert_rows(found: list[list[float]], expected: list[list[float]]) -> None:
    assert [len(row) for row in found] == [len(row) for row in expected]
    assert np.concatenate(found).tolist() == near(np.concatenate(expected).tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("case", "assigner"),
    [
        ("igpo.advantages/1", IGPO()),
        ("igpo.advantages/2", IGPO(gamma=0.9)),
        ("igpo.advantages/3", IGPO(norm="joint")),
        ("igpo.advantages/4", IGPO()),
    ],
)
def test_igpo_matches_the_worked_examples(case: str, assigner: IGPO) -> None:
    inputs, expected = example(case)
    groups: dict[int, list] = {}
    for rewards, group in zip(inputs["turn_rewards"], inputs["group"], strict=True):
        member = rollout("t" * (len(rewards) - 1) + "a", outcome=rewards[-1])
        member.signals["belief"] = np.cumsum([-3.0, *rewards[:-1]])
        groups.setdefault(group, []).append(member)
    batch = batch_of(*groups.values())
    assert_rows(turn_numbers(batch, assigner.assign(batch)), expected)


def test_igpo_with_a_single_turn_is_a_zscore_of_outcomes() -> None:
    batch = outcomes_batch([1.0, 0.0, 0.0], [0, 0, 0])
    batch = batch_of([rollout("a", outcome=member.outcome) for member in batch.trajectories])
    for member in batch.trajectories:
        member.signals["belief"] = np.array([-1.0])
    expected = example("igpo.advantages/5")[1]
    assert_rows(turn_numbers(batch, IGPO().assign(batch)), expected)


def test_an_enormous_gain_is_clipped_and_outcomes_are_not() -> None:
    members = [rollout("ta", outcome=float(number == 0)) for number in range(60)]
    for number, member in enumerate(members):
        member.signals["belief"] = np.array([0.0, 1e6 if number == 1 else 0.01 * number])
    batch = batch_of(members)
    rows = turn_numbers(batch, IGPO().assign(batch))
    outcome = rows[0][1]
    assert outcome > 7.0
    assert rows[1][0] - rows[1][1] == near(5.0)
    unclipped = igpo.advantages([[1e6 if n == 1 else 0.01 * n, float(n == 0)] for n in range(60)], [0] * 60)
    assert unclipped[1][0] - unclipped[1][1] > 7.0


def test_a_rollout_without_a_turn_still_has_an_outcome() -> None:
    members = [rollout("", outcome=0.0), rollout("a", outcome=1.0)]
    for member in members:
        member.signals["belief"] = np.zeros(len(member.turns))
    batch = batch_of(members)
    credit = IGPO().assign(batch)
    assert credit.adv["main"][0].size == 0
    assert credit.adv["main"][1] == near(1.0, abs=1e-5)


def test_siop_gathers_per_group_and_silence_stays_in_the_pool() -> None:
    target, (q, *_) = example("siop.target/1")
    inputs, rewards = example("siop.turn_rewards/1")
    members = [rollout("ta") for _ in range(3)] + [rollout("tt")]
    for member, cluster, evidence in zip(members, target["cluster"], target["evidence"], strict=True):
        member.signals.update(ref_logp=inputs["ref_logp"], alpha=inputs["alpha"], cluster=cluster, evidence=evidence)
    members[3].signals.update(ref_logp=None, alpha=None)
    batch = batch_of(members)
    rows = turn_numbers(batch, SIOP().assign(batch))
    scale = np.array(rewards) / inputs["q"]
    shares = siop.target(target["cluster"], target["evidence"], 1.0)
    expected = siop.advantages([scale * share for share in shares], [0] * 4)
    assert q == near(shares[0], abs=1e-6)
    assert_rows(rows, [row.tolist() for row in expected])
    assert rows[3][0] < 0.0


@pytest.mark.parametrize("case", ["matchtir.advantages/1", "matchtir.advantages/2"])
def test_matchtir_matches_the_worked_examples(case: str) -> None:
    inputs, expected = example(case)
    members = []
    for rewards in inputs["turn_rewards"]:
        member = rollout("t" * (len(rewards) - 1) + "a", outcome=rewards[-1])
        member.signals["call_reward"] = [[reward] for reward in rewards]
        members.append(member)
    batch = batch_of(members)
    credit = MatchTIR(singleton=inputs["singleton"]).assign(batch)
    assert_rows(turn_numbers(batch, credit), expected)


def test_matchtir_pays_no_answer_where_there_is_none() -> None:
    members = [rollout("tt", outcome=1.0), rollout("tt", outcome=0.0)]
    for member in members:
        member.signals["call_reward"] = [[0.5], []]
    batch = batch_of(members)
    assert turn_numbers(batch, MatchTIR().assign(batch)) == [[0.0, 0.0], [0.0, 0.0]]


def test_prorag_matches_the_worked_example() -> None:
    inputs, expected = example("prorag.advantages/1")
    facts = [("ta", 0.6, True), ("tfa", 0.0, False), ("a", 0.1, True)]  # 2·0.6 + 1, -1, and 0.1 is below the floor
    members = []
    for (kinds, outcome, fine), scores, tokens in zip(facts, inputs["step_scores"], inputs["step_tokens"], strict=True):
        member = rollout(kinds, tokens, outcome=outcome, format_ok=fine)
        well_formed = np.array([kind != "f" for kind in kinds])
        member.signals["step_score"] = (np.array(scores) - np.where(well_formed, 1.0, -2.0)).tolist()
        member.signals["step_format"] = well_formed
        members.append(member)
    batch = batch_of(members)
    assert_rows(turn_numbers(batch, ProRAG(beta=0.3).assign(batch)), expected)


def test_prorag_scores_an_unscored_answer_by_its_outcome() -> None:
    members = [rollout("ta", outcome=1.0), rollout("ta", outcome=0.0)]
    for member in members:
        member.signals.update(step_score=[0.5, None], step_format=[True, True])
    scored = batch_of([rollout("ta", outcome=1.0), rollout("ta", outcome=0.0)])
    for member in scored.trajectories:
        member.signals.update(step_score=[0.5, member.outcome], step_format=[True, True])
    batch = batch_of(members)
    assert turn_numbers(batch, ProRAG().assign(batch)) == turn_numbers(scored, ProRAG().assign(scored))


def test_steps_of_right_rollouts_return_more_than_those_of_wrong_ones() -> None:
    members = [rollout("tta", outcome=1.0), rollout("tta", outcome=0.0)]
    for member in members:
        member.signals["step_score"] = [0.8, 0.5, None]
    batch = batch_of(members)
    right, wrong = turn_numbers(batch, PPRReturns().assign(batch))
    assert min(right) > 0.0 > max(wrong)


def test_a_malformed_rollout_that_gets_ahead_is_told() -> None:
    members = [rollout("oa", outcome=0.0), rollout("ta", outcome=0.0), rollout("oa", outcome=0.0)]
    for member, gain in zip(members, (2.0, 1.0, 0.0), strict=True):
        member.signals["belief"] = np.array([0.0, gain])
    credit = IGPO().assign(batch_of(members))
    assert credit.metrics["malformed_ahead"] == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: IGPO(gamma=1.1), "gamma=1.1"),
        (lambda: IGPO(belief="odds"), "belief='odds'"),
        (lambda: IGPO(norm="none"), "norm='none'"),
        (lambda: MatchTIR(singleton="mean"), "singleton='mean'"),
        (lambda: SIOP(lam=-0.5), "lam=-0.5"),
    ],
)
def test_wrong_parameters_are_refused(make: type, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_outcome_numbers_need_equal_turns() -> None:
    batch = batch_of([rollout("ta", outcome=1.0), rollout("ta", outcome=0.0)])
    for member in batch.trajectories:
        member.signals["call_reward"] = [[member.outcome], []]
    with pytest.raises(AssertionError):
        rollout_numbers(batch, MatchTIR().assign(batch))
