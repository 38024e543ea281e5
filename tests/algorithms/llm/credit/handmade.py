"""Rollouts written by hand: turns of any length and kind with observations in between, and signals for every method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.algorithms.llm.play.trajectories import MAIN, Batch, Credit, Group, ToolCall, Trajectory, Tree, Turn
from tests.worked_examples.kernels import EXAMPLES

OBSERVATION = 2
KINDS = {"t": "tool", "f": "tool", "a": "answer", "o": "other"}


@dataclass(frozen=True)
class FakeTask:
    uid: str
    cluster: str = "cluster"


def example(name: str) -> tuple[dict[str, Any], Any]:
    """Return inputs and expected values of a worked example."""
    found = EXAMPLES[name]
    return dict(found.inputs), found.expected


def rollout(
    kinds: str = "ta", lengths: Sequence[int] | None = None, keys: Sequence[str] | None = None, **facts: Any
) -> Trajectory:
    """Return a rollout with a turn per letter: t(ool), f(ailed tool call), a(nswer), o(ther)."""
    lengths = [2] * len(kinds) if lengths is None else lengths
    turns, mask = [], list[bool]()
    for number, (kind, length) in enumerate(zip(kinds, lengths, strict=True)):
        calls = () if kind == "o" else (ToolCall("payoff", {}, ok=kind != "f"),)
        key = kind if keys is None else keys[number]
        turns.append(Turn(len(mask), len(mask) + length, KINDS[kind], calls, key=key))
        mask += [True] * length + [False] * (OBSERVATION if kind != "a" else 0)
    answered = kinds.endswith("a")
    defaults: dict[str, Any] = {
        "answer": 0.5 if answered else None,
        "outcome": 0.0,
        "correct": facts.get("outcome", 0.0) > 0.5,
        "format_ok": "o" not in kinds,
        "ended_by": "answer" if answered else "max_turns",
    }
    return Trajectory(
        prompt_ids=np.zeros(3, dtype=np.int64),
        ids=np.arange(len(mask)),
        mask=np.array(mask, dtype=bool),
        logp_old=np.where(mask, -1.0, 0.0),
        turns=tuple(turns),
        **(defaults | facts),
    )


def batch_of(*groups: Sequence[Trajectory], clusters: Sequence[str] | None = None) -> Batch:
    """Return a batch of one group per sequence of members."""
    names = ["cluster"] * len(groups) if clusters is None else clusters
    tasks = [FakeTask(f"task {number}", name) for number, name in enumerate(names)]
    return Batch([Group(task, list(members)) for task, members in zip(tasks, groups, strict=True)], 0)


def outcomes_batch(rewards: Sequence[float], group: Sequence[int]) -> Batch:
    """Return a batch of rollouts with given outcomes, which are kept apart by group."""
    members: dict[int, list[Trajectory]] = {}
    for reward, own in zip(rewards, group, strict=True):
        members.setdefault(own, []).append(rollout(outcome=reward))
    return batch_of(*members.values())


def annotate(batch: Batch, rng: np.random.Generator) -> Batch:
    """Fill in every signal and the trees."""
    for group in batch.groups:
        for member in group.members:
            turns = len(member.turns)
            steps = turns - (member.turns[-1].kind == "answer")
            answered = member.answer is not None
            member.signals.update(
                belief=rng.normal(-2.0, 1.0, turns),
                ref_logp=rng.normal(-2.0, 0.5, (turns + 1, 2)),
                alpha=[0.5, 0.5],
                cluster=int(rng.integers(2)) if answered else None,
                evidence=float(rng.random()) if answered else None,
                acc=rng.random(steps),
                conf=rng.random(steps),
                nrp_end=member.turns[0].end if turns > 2 else None,
                think_end=member.turns[-1].start if answered else None,
                call_reward=[rng.random(len(turn.calls)).tolist() for turn in member.turns],
                step_format=np.array([all(call.ok for call in turn.calls) for turn in member.turns], dtype=bool),
                step_score=[*rng.random(steps).tolist(), *[None] * (turns - steps)],
                path_reward=float(rng.normal()),
                welfare=float(rng.random()),
                rank_adv=float(rng.normal()),
                values=rng.normal(size=len(member.ids)),
            )
        plant(group)
    return batch


def plant(group: Group) -> None:
    """Make the group's tree of its members' keys; members end in leaves of their own."""
    nodes: dict[tuple[Any, ...], int] = {(): 0}
    tree = Tree([-1], [None], [None])
    for number, member in enumerate(group.members):
        path, prefix = [0], ()
        for turn in member.turns:
            own = (turn.key, number) if turn is member.turns[-1] else turn.key
            prefix = (*prefix, own)
            if prefix not in nodes:
                nodes[prefix] = len(tree.parent)
                tree.parent.append(path[-1])
                tree.turn.append(turn)
                tree.leaf_reward.append(member.outcome if turn is member.turns[-1] else None)
            path.append(nodes[prefix])
        member.path = tuple(path)
    group.tree = tree


def turn_numbers(batch: Batch, credit: Credit, channel: str = MAIN) -> list[list[float]]:
    """Return the advantage of every turn, which all its tokens share."""
    rows = []
    for member, tokens in zip(batch.trajectories, credit.adv[channel], strict=True):
        parts = [tokens[turn.start : turn.end] for turn in member.turns]
        assert all((part == part[0]).all() for part in parts)
        rows.append([float(part[0]) for part in parts])
    return rows


def rollout_numbers(batch: Batch, credit: Credit, channel: str = MAIN) -> list[float]:
    """Return the advantage of every rollout, which all its turns share."""
    rows = turn_numbers(batch, credit, channel)
    assert all(set(row) == {row[0]} for row in rows)
    return [row[0] for row in rows]
