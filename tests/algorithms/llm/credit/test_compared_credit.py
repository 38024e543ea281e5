"""Methods that compare across prompts, positions, potentials, branches, or with a critic."""

import numpy as np
import pytest

from coopgym.algorithms.llm.method.credit import COPO, DECS, PPO, PPR, SPAE, TreePS, VStar
from coopgym.algorithms.llm.method.credit.positions import necessary_share
from coopgym.algorithms.llm.method.minibatch import totals
from coopgym.algorithms.llm.play.trajectories import Batch, Tree
from tests.algorithms.llm.credit.handmade import (
    batch_of,
    example,
    outcomes_batch,
    rollout,
    rollout_numbers,
    turn_numbers,
)

near = pytest.approx


def test_copo_matches_the_worked_example_and_weights_sum_to_one() -> None:
    inputs, expected = example("copo.advantages/1")
    batch = outcomes_batch(inputs["reward"], inputs["group"])
    for member, answer in zip(batch.trajectories, inputs["answers"], strict=True):
        member.answer = int(answer) / 100
    credit = COPO().assign(batch)
    for channel in ("local", "global"):
        assert rollout_numbers(batch, credit, channel) == near(expected[channel], abs=1e-6)
    for member, local, other, gate in zip(
        batch.trajectories, credit.weight["local"], credit.weight["global"], expected["w_local"], strict=True
    ):
        assert local[member.mask] == near(gate, abs=1e-6)
        np.testing.assert_allclose((local + other)[member.mask], 1.0)
    assert credit.metrics["gate"] == near(np.mean(expected["w_local"]), abs=1e-6)


def test_copo_compares_answers_by_bin_and_by_all_decisions() -> None:
    batch = batch_of(
        [rollout(answer=0.51), rollout(answer=0.54)],
        [rollout(answer=0.5, levels=(0.1, 0.5)), rollout(answer=0.5, levels=(0.9, 0.5))],
    )
    assert COPO().assign(batch).metrics["answer_entropy"] == near(0.5)


def test_spae_matches_the_worked_example() -> None:
    inputs, expected = example("spae.advantages/1")
    members = []
    for phi, reward, steps, answer in zip(
        inputs["phi"], inputs["reward"], inputs["step_tokens"], inputs["answer_tokens"], strict=True
    ):
        member = rollout("t" * len(steps) + "a", [*steps, answer], outcome=float(reward))
        potential = np.array(phi)
        member.signals["acc"] = np.clip(2.0 * potential, 0.0, 1.0)
        member.signals["conf"] = np.where(potential > 0.5, 2.0 * potential - 1.0, np.maximum(-potential, 0.0))
        members.append(member)
    batch = batch_of(members)
    rows = turn_numbers(batch, SPAE().assign(batch))
    assert [row[-1] for row in rows] == near(expected["answer"], abs=1e-6)
    assert np.concatenate([row[:-1] for row in rows]) == near(np.concatenate(expected["steps"]), abs=1e-6)


def test_spae_takes_rollouts_without_steps_or_without_answer() -> None:
    members = [rollout("a", outcome=1.0), rollout("tt", outcome=0.0)]
    for member, probed in zip(members, ([], [0.5, 0.5]), strict=True):
        member.signals.update(acc=np.array(probed), conf=np.array(probed))
    batch = batch_of(members)
    ((direct,), silent) = turn_numbers(batch, SPAE().assign(batch))
    assert direct > 0.0 > max(silent)


def decs_batch() -> Batch:
    members = [rollout("tta", (2, 2, 1)), rollout("ta", (2, 1)), rollout("tta", (1, 1, 1))]
    for member, necessary in zip(members, (members[0].turns[0].end, None, members[2].turns[0].end), strict=True):
        member.correct = True
        member.signals.update(nrp_end=necessary, think_end=member.turns[-1].start)
    return batch_of(members)


def test_decs_counts_written_positions_and_keeps_padding_in_the_baseline() -> None:
    expected = example("decs.advantages/2")[1]
    batch = decs_batch()
    credit = DECS(max_length=10).assign(batch)
    for member, row, wanted in zip(batch.trajectories, credit.adv["main"], expected, strict=True):
        assert row[member.mask] == near(wanted[: member.written], abs=1e-6)
    assert credit.metrics["necessary_share"] == near((2 / 4 + 1.0 + 1 / 2) / 3)


def test_only_correct_rollouts_tell_what_was_necessary() -> None:
    batch = decs_batch()
    batch.trajectories[0].correct = False
    assert necessary_share(batch.trajectories) == near((1.0 + 1 / 2) / 2)
    for member in batch.trajectories:
        member.correct = False
    assert necessary_share(batch.trajectories) == 1.0


def tree_batch(leaf_reward: list[float | None], parent: list[int]) -> Batch:
    paths = ((0, 1, 4), (0, 2, 5), (0, 2, 6), (0, 1, 3, 7), (0, 1, 3, 8))
    members = [
        rollout("t" * (len(path) - 2) + "a", list(path[1:]), outcome=leaf_reward[path[-1]], path=path) for path in paths
    ]
    batch = batch_of(members)
    batch.groups[0].tree = Tree(parent, [None] * len(parent), leaf_reward)
    return batch


@pytest.mark.parametrize("case", [1, 2])
def test_treeps_matches_the_worked_examples(case: int) -> None:
    inputs, expected = example(f"treeps.advantages/{case}")
    batch = tree_batch(inputs["leaf_reward"], inputs["parent"])
    assigner = TreePS(whole=inputs["w_global"], shared="scaled" if inputs["leaf_scale"] else "once")
    rows = turn_numbers(batch, assigner.assign(batch))
    for member, row in zip(batch.trajectories, rows, strict=True):
        assert row == near([expected[node] for node in member.path[1:]], abs=1e-6)


def test_every_node_carries_loss_once_unless_scaled() -> None:
    inputs, _ = example("treeps.advantages/1")
    batch = tree_batch(inputs["leaf_reward"], inputs["parent"])
    everyone = range(len(batch.trajectories))
    assert totals(TreePS().assign(batch), everyone).tokens == sum(range(1, 9))  # node n has n tokens
    scaled = TreePS(shared="scaled").assign(batch)
    assert totals(scaled, everyone).tokens == sum(member.written for member in batch.trajectories)


def test_a_tree_is_asked_for() -> None:
    with pytest.raises(ValueError, match="task 0 has no tree"):
        TreePS().assign(batch_of([rollout()]))


def test_vstar_matches_the_worked_example_and_counts_branching_turns_only() -> None:
    inputs, expected = example("vstar.sibling_advantages/1")
    members = [
        rollout("t" * (len(path) - 1) + "a", keys=path, outcome=reward)
        for path, reward in zip(inputs["paths"], inputs["rewards"], strict=True)
    ]
    for member in members:
        member.signals["values"] = np.zeros(len(member.ids))
    batch = batch_of(members)
    credit = VStar(sibling=0.5).assign(batch)
    rows = turn_numbers(batch, credit, "sibling")
    assert np.concatenate(rows) == near(np.concatenate(expected), abs=1e-6)
    for advantage, weight in zip(credit.adv["sibling"], credit.weight["sibling"], strict=True):
        np.testing.assert_array_equal(weight, np.where(advantage != 0.0, 0.5, 0.0))
    assert np.mean(rollout_numbers(batch, credit)) == near(0.0, abs=1e-12)


def test_the_critic_of_vstar_looks_one_turn_ahead() -> None:
    inputs, expected = example("vstar.td/1")
    member = rollout("t" * (len(inputs["values"]) - 1) + "a", outcome=1.0)
    values = np.full(len(member.ids), 99.0)
    for turn, value in zip(member.turns, inputs["values"], strict=True):
        values[turn.start] = value
    member.signals.update(values=values, dense=np.array(inputs["rewards"]))
    assigner = VStar(gamma=inputs["gamma"], dense="dense")
    assert assigner.reads == {"values", "dense"}
    returns = assigner.assign(batch_of([member])).returns
    assert returns is not None
    assert [returns[0][turn.end - 1] for turn in member.turns] == near(expected["targets"], abs=1e-6)
    sparse = VStar(gamma=1.0).assign(batch_of([member])).returns
    assert sparse is not None
    assert sparse[0][member.mask][-1] == 1.0


def test_ppr_matches_the_worked_example() -> None:
    inputs, expected = example("ppr.gae/1")
    member = rollout("tta", (2, 2, 2), outcome=1.0)
    values = np.full(len(member.ids), 99.0)
    values[member.mask] = inputs["values"]
    member.signals.update(step_score=[0.8, 0.5, None], values=values)
    credit = PPR().assign(batch_of([member]))
    assert credit.returns is not None
    assert credit.adv["main"][0][member.mask] == near(expected["adv"])
    assert credit.returns[0][member.mask] == near(expected["returns"])
    assert not credit.returns[0][~member.mask].any()


def test_dividing_by_turns_makes_returns_independent_of_their_number() -> None:
    members = [rollout("t" * turns + "a", outcome=1.0) for turns in (1, 4)]
    for member in members:
        turns = len(member.turns) - 1
        member.signals.update(step_score=[1.0] * turns + [None], values=np.zeros(len(member.ids)))
    for assigner, grows in ((PPR(), True), (PPR(per_turn=True), False)):
        returns = assigner.assign(batch_of(members)).returns
        assert returns is not None
        assert (returns[1][0] > returns[0][0] + 0.5) == grows


def test_ppo_pays_the_outcome_at_the_last_written_token() -> None:
    member = rollout("tt", (2, 2), outcome=0.5)  # ends with an observation
    values = np.linspace(0.0, 1.0, len(member.ids))
    member.signals["values"] = values
    credit = PPO().assign(batch_of([member]))
    np.testing.assert_allclose(credit.adv["main"][0], np.where(member.mask, 0.5 - values, 0.0))
    credit = PPO(lam=0.0).assign(batch_of([member]))
    own = values[member.mask]
    np.testing.assert_allclose(credit.adv["main"][0][member.mask], [*np.diff(own), 0.5 - own[-1]])


def test_whitened_advantages_have_unit_variance_and_returns_are_left() -> None:
    members = [rollout("ta", outcome=outcome) for outcome in (1.0, 0.0, 0.3)]
    for member in members:
        member.signals["values"] = np.zeros(len(member.ids))
    credit = PPO(whiten=True).assign(batch_of(members))
    tokens = np.concatenate([row[each.mask] for row, each in zip(credit.adv["main"], members, strict=True)])
    assert tokens.mean() == near(0.0, abs=1e-12)
    assert tokens.std(ddof=1) == near(1.0)
    assert credit.returns is not None
    assert credit.returns[0][members[0].mask] == near(1.0)
