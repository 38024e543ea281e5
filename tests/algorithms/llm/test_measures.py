"""What is reported of a step, on rollouts made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.algorithms.llm.method.credit import GroupZ
from coopgym.algorithms.llm.play.conversation import Rollout
from coopgym.algorithms.llm.play.trajectories import Group
from coopgym.algorithms.llm.training.trainer import credit_measures, rollout_measures
from tests.algorithms.llm.parrot import Parrot, batch, group, played, task


def test_rollouts_are_described_by_means() -> None:
    where = task()
    gold = round(where.reference_action, 2)
    found = rollout_measures(
        batch(group(where, ["payoff .40 .25", f"submit {gold:.2f}"], ["best_guess", f"submit {gold - 0.1:.2f}"]))
    )
    assert (found["answered"], found["correct"], found["well_formed"]) == (1.0, 0.5, 0.5)
    assert (found["turns_per_decision"], found["distinct_answers"]) == (2.0, 2.0)
    assert found["calls_valid"] == pytest.approx(3 / 4)
    assert found["oracle_gap"] == pytest.approx(0.05, abs=0.006)
    assert found["level"] == pytest.approx(gold - 0.05)
    assert found["outcome"] == pytest.approx(0.8, abs=0.03)
    assert 0.0 <= found["payoff_share"] <= 1.0


def test_whoever_was_cut_off_has_no_level_and_no_welfare() -> None:
    where = task()
    unfinished = Rollout.of_task(where, Parrot(), np.random.default_rng(0)).trajectory(where)
    found = rollout_measures(batch(Group(where, [unfinished])))
    assert (found["answered"], found["outcome"], found["distinct_answers"]) == (0.0, 0.0, 0.0)
    assert not {"level", "welfare", "payoff_share", "oracle_gap"} & set(found)
    both = rollout_measures(batch(Group(where, [unfinished, played(where, "submit .50")])))
    assert both["welfare"] == rollout_measures(batch(group(where, ["submit .50"])))["welfare"]


def test_groups_that_teach_nothing_are_counted() -> None:
    where = task()
    mixed = batch(group(where, ["submit .50"], ["submit .10"]), group(where, ["submit .10"], ["submit .10"]))
    found = credit_measures(mixed, GroupZ().assign(mixed))
    assert found["flat_groups"] == 0.5
    assert found["advantage_variance"] == pytest.approx(0.25, rel=1e-4)
