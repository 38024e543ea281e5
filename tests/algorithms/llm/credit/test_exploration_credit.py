"""Outcome-based exploration: what is counted, when, and which tokens hear of it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.llm.method.credit import GroupZ, OutcomeExploration
from coopgym.algorithms.llm.play.trajectories import Trajectory
from tests.algorithms.llm.credit.handmade import batch_of, rollout, turn_numbers

near = pytest.approx


def answering(*levels: float | None) -> list[Trajectory]:
    return [rollout("tt" if level is None else "ta", answer=level) for level in levels]


def test_rare_answers_earn_more_and_answers_themselves_nothing() -> None:
    assigner = OutcomeExploration(c=0.2)
    assigner.load_state_dict({"counts": [["cluster", [2], 1], ["cluster", [4], 4], ["cluster", [6], 16]]})
    batch = batch_of(answering(0.01, 0.11, 0.21, 0.31))
    rows = turn_numbers(batch, assigner.assign(batch))
    assert [row[0] for row in rows] == near([0.2 * 0.5, 0.2 * 0.5, 0.0, 0.2 * -0.25])
    assert [row[1] for row in rows] == [0.0] * 4


def test_a_batch_is_counted_after_it_is_credited() -> None:
    assigner = OutcomeExploration(history="naive", c=1.0)
    batch = batch_of(answering(0.5), answering(0.5))
    assert [row[0] for row in turn_numbers(batch, assigner.assign(batch))] == [1.0, 1.0]
    assert [row[0] for row in turn_numbers(batch, assigner.assign(batch))] == near([np.sqrt(0.5)] * 2)
    assigner.reset()
    assert [row[0] for row in turn_numbers(batch, assigner.assign(batch))] == [1.0, 1.0]


def test_counts_are_kept_by_cluster_or_by_task() -> None:
    groups = answering(0.5), answering(0.5)
    by_cluster, by_task = OutcomeExploration(), OutcomeExploration(by="uid")
    for assigner in (by_cluster, by_task):
        assigner.assign(batch_of(*groups))
    assert by_cluster.state_dict() == {"counts": [["cluster", [10], 2]]}
    assert by_task.state_dict() == {"counts": [["task 0", [10], 1], ["task 1", [10], 1]]}


def test_repeats_inside_a_group_are_penalised_and_so_is_silence() -> None:
    batch = batch_of(answering(0.6, 0.61, 0.35, None, None))
    rows = turn_numbers(batch, OutcomeExploration(history="none", batch=True, c=1.0).assign(batch))
    assert [row[0] for row in rows] == near([-0.2, -0.2, 0.0, -0.2, -0.2])


def test_no_bonus_where_every_member_is_right() -> None:
    batch = batch_of([rollout(correct=True), rollout(correct=True)])
    assert not np.any(turn_numbers(batch, OutcomeExploration(batch=True).assign(batch)))


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5))
def test_without_weight_it_is_the_zscore(outcomes: list[float]) -> None:
    batch = batch_of([rollout(outcome=outcome) for outcome in outcomes])
    found, plain = OutcomeExploration(c=0.0).assign(batch), GroupZ().assign(batch)
    for row, other in zip(found.adv["main"], plain.adv["main"], strict=True):
        np.testing.assert_array_equal(row, other)


def test_counts_survive_json() -> None:
    old, new = OutcomeExploration(), OutcomeExploration()
    window = rollout(answer=0.5, levels=(0.1, 0.5))
    old.assign(batch_of([*answering(0.2, None), window], clusters=["a"]))
    new.load_state_dict(json.loads(json.dumps(old.state_dict())))
    assert new.counts == old.counts
    assert new.counts["a", (2, 10)] == 1
    assert new.counts["a", None] == 1


@pytest.mark.parametrize("wrong", [{"history": "sum"}, {"by": "day"}, {"c": -1.0}])
def test_wrong_parameters_are_refused(wrong: dict[str, object]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        OutcomeExploration(**wrong)
