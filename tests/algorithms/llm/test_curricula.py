"""Curricula: which tasks come, which groups stay, and how gates and stages move."""

from __future__ import annotations

import json

import numpy as np
import pytest

from coopgym.algorithms.llm.method.curricula import EasyGate, Horizons, MixedOnly, Uniform
from coopgym.algorithms.llm.method.slots import Curriculum
from coopgym.algorithms.llm.play.tasks import TaskSettings
from coopgym.algorithms.llm.play.trajectories import Batch, Group
from tests.algorithms.llm.parrot import played, task

SETTINGS = TaskSettings("TrustDilemma-v1", partners=("Constant_25",))


def group(*right: bool, necessary: float = 1.0) -> Group:
    """Return a group of right and wrong rollouts of which some part of the thinking was necessary."""
    members = []
    for each in right:
        where = task()
        member = played(where, "payoff .40 .25", f"submit {where.reference_action if each else 0.0:.2f}")
        assert member.correct == each
        thinking = member.turns[-1].start
        member.signals = {"think_end": thinking, "nrp_end": round(necessary * member.turns[0].end)}
        members.append(member)
    return Group(task(), members)


MIXED, EASY, HOPELESS = (True, False), (True, True), (False, False)


def test_tasks_follow_from_seed_and_step() -> None:
    uniform = Uniform(SETTINGS, 3)
    first = uniform.tasks(4, 0)
    assert first == Uniform(SETTINGS, 3).tasks(4, 0)
    assert first != uniform.tasks(4, 1)
    assert first != Uniform(SETTINGS, 4).tasks(4, 0)
    assert first[:2] == uniform.tasks(2, 0)


def test_flat_groups_are_left_out() -> None:
    mixed = group(*MIXED)
    assert MixedOnly(SETTINGS, 0).compose([group(*EASY), mixed, group(*HOPELESS)]) == [mixed]
    assert Uniform(SETTINGS, 0).compose([mixed, mixed]) == [mixed, mixed]


def test_the_gate_lets_easy_groups_in_as_redundancy_falls() -> None:
    gate = EasyGate(SETTINGS, 0, rate=1.0)
    groups = [group(*EASY), group(*MIXED), group(*MIXED), group(*EASY), group(*HOPELESS), group(*EASY)]
    assert gate.compose(groups) == [groups[1], groups[2]]
    for necessary in (0.4, 1.0):
        gate.update(Batch([group(*EASY, necessary=necessary)], 0))
    assert gate.kappa > 0.5
    assert gate.compose(groups) == [groups[1], groups[2], groups[0], groups[3], groups[5]]
    gate.update(Batch([group(*EASY, necessary=0.1)], 0))
    assert gate.kappa < 0.5
    assert gate.compose(groups)[:2] == [groups[1], groups[2]]
    assert len(gate.compose(groups)) < 5


def test_the_gate_never_passes_its_cap() -> None:
    gate = EasyGate(SETTINGS, 0, rate=5.0, cap=0.3)
    for necessary in (0.1, 1.0, 0.1, 1.0):
        gate.update(Batch([group(*EASY, necessary=necessary)], 0))
        assert 0.0 <= gate.kappa <= 0.3
    assert gate.kappa == 0.3


def test_stages_grow_with_success() -> None:
    horizons = Horizons(SETTINGS, 0, longest=3, least_steps=2, most_steps=100, threshold=0.7)
    stages = []
    for right in (EASY, EASY, HOPELESS, HOPELESS, EASY, EASY, EASY):
        horizons.update(Batch([group(*right)], 0))
        stages.append(horizons.stage)
    assert stages == [1, 2, 2, 2, 3, 3, 3]
    assert horizons.success == 1.0


def test_stages_grow_when_their_time_is_over() -> None:
    horizons = Horizons(SETTINGS, 0, longest=3, least_steps=1, most_steps=2)
    stages = []
    for _ in range(5):
        horizons.update(Batch([group(*HOPELESS)], 0))
        stages.append(horizons.stage)
    assert stages == [1, 2, 2, 3, 3]


def test_a_stage_is_a_window_of_which_the_last_decision_is_paid() -> None:
    horizons = Horizons(SETTINGS, 0)
    assert {(each.settings.decisions, each.settings.outcome) for each in horizons.tasks(3, 0)} == {(1, "final")}
    horizons.load_state_dict({"stage": 2, "steps_in_stage": 0, "success": 0.0})
    assert {(each.settings.decisions, each.settings.outcome) for each in horizons.tasks(3, 0)} == {(2, "final")}


def test_windows_are_no_longer_than_the_game() -> None:
    short = TaskSettings("TrustDilemma-v1", parameters={"max_steps": 2}, partners=("Constant_25",))
    horizons = Horizons(short, 0, longest=5, least_steps=0, most_steps=1)
    for _ in range(4):
        horizons.update(Batch([group(*HOPELESS)], 0))
    assert horizons.stage == 2
    assert horizons.tasks(2, 9)


@pytest.mark.parametrize("kind", [EasyGate, Horizons])
def test_gates_and_stages_go_on_where_they_stood(kind: type[Curriculum]) -> None:
    made = [kind(SETTINGS, 0), kind(SETTINGS, 0)]
    steps = [Batch([group(*right, necessary=part)], 0) for right, part in ((EASY, 0.3), (MIXED, 0.9), (EASY, 0.5))]
    for step in steps[:2]:
        made[0].update(step)
    made[1].load_state_dict(json.loads(json.dumps(made[0].state_dict())))
    for each in made:
        each.update(steps[2])
    assert made[0].state_dict() == made[1].state_dict() != kind(SETTINGS, 0).state_dict()
    assert [each.uid for each in made[0].tasks(3, 5)] == [each.uid for each in made[1].tasks(3, 5)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EasyGate(SETTINGS, 0, cap=1.5), "cap"),
        (lambda: EasyGate(SETTINGS, 0, rate=np.nan), "rate"),
        (lambda: Horizons(SETTINGS, 0, longest=0), "longest"),
        (lambda: Horizons(SETTINGS, 0, least_steps=5, most_steps=4), "most_steps"),
        (lambda: Horizons(SETTINGS, 0, threshold=2.0), "threshold"),
    ],
)
def test_parameters_out_of_range_are_told(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
