"""Reference chains that the policy writes with the answer in hand, and paths judged by how well they lead into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import p2s
from coopgym.algorithms.llm.method.credit.tokens import answer_turn
from coopgym.algorithms.llm.method.signals.beliefs import in_rows
from coopgym.algorithms.llm.method.signals.decisions import window_reference_actions
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.conversation import Rollout
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, Group, Trajectory
from coopgym.typing import FloatArray, IntArray

HOPELESS = float(np.log(1e-8))
"""Log-probability of an answer that no longer fits into the model's context."""


@dataclass(frozen=True, kw_only=True)
class GoldPath(Settings, Signal):
    """P2S (arXiv 2601.20649): ``path_reward``, in groups in which no well-formed member is right; 0 in the others.

    Gold chains are sampled anew at every step, by the policy under a prompt that tells the oracle's levels. Of the
    well-formed ones the one after which the policy, under the plain prompt, believes most in the gold answer is kept.
    The plain prompt replaces the other one before anything is scored, and no chain enters the batch. Segments of a path
    are turns, or equal runs of them; what tools said is read but never scored; prefixes are masked by as many blanks.

    Attributes:
        chains: gold chains K per task.
        segments: most segments m of a path.
        slope: how much later segments count.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"policy_logprob", "gold"})
    fills: ClassVar[frozenset[str]] = frozenset({"path_reward"})
    chains: int = hyperparameter(4, 1)
    segments: int = hyperparameter(8, 1)
    slope: float = hyperparameter(1.0, 0.0)

    def annotate(self, batch: Batch, services: Services) -> None:
        for member in batch.trajectories:
            member.signals["path_reward"] = 0.0
        groups = [
            group for group in batch.groups if not any(member.format_ok and member.correct for member in group.members)
        ]
        chains = self._gold_chains([group.task for group in groups], services, batch.step)
        for group, chain in zip(groups, chains, strict=True):
            self._judge(group, chain, services)

    def _gold_chains(self, tasks: Sequence[Task], services: Services, step: int) -> list[Trajectory | None]:
        """Return the best gold chain of each task under its plain prompt; None where all are malformed."""
        drafts = [
            [
                Rollout.of_task(task, services.model, services.stream("gold chain", step, task.seed, chain))
                for chain in range(self.chains)
            ]
            for task in tasks
        ]
        plain = [rollouts[0].prompt_ids for rollouts in drafts]
        for task, rollouts in zip(tasks, drafts, strict=True):
            for rollout in rollouts:
                told = privileged_hint(task) + rollout.session.dialogues[0].prompt
                rollout.prompt_ids = np.array(services.model.tokenizer.opening(told), dtype=np.int64)
        services.converse([rollout for rollouts in drafts for rollout in rollouts])
        return [
            _likeliest(task, [replace(rollout.trajectory(task), prompt_ids=prompt) for rollout in rollouts], services)
            for task, rollouts, prompt in zip(tasks, drafts, plain, strict=True)
        ]

    def _judge(self, group: Group, chain: Trajectory | None, services: Services) -> None:
        members = group.members
        references = [group.task_of(member).reference_action for member in members]
        answers = services.belief([_before_answer(member) for member in members], references)
        prefixes = [self._prefixes(member) for member in members]
        pairs = [
            (prefix, _masked(prefix, len(member.prompt_ids), services))
            for member, own in zip(members, prefixes, strict=True)
            for prefix in own
        ]
        likely = in_rows(_lead_in(pairs, chain, services), [len(own) for own in prefixes])
        for member, answer, table in zip(members, answers, likely, strict=True):
            steps = p2s.step_rewards(table[:, 0], table[:, 1], answer if np.isfinite(answer) else HOPELESS)
            member.signals["path_reward"] = p2s.path_reward(steps, self.slope)

    def _prefixes(self, member: Trajectory) -> list[IntArray]:
        """Return what was read and written up to the end of every segment but the last."""
        turns = np.arange(len(member.turns))
        parts = np.array_split(turns, min(len(turns), self.segments)) if len(turns) else []
        return [member.context(int(part[-1]) + 1) for part in parts[:-1]]


def privileged_hint(task: Task) -> str:
    """Return the line that tells the oracle's levels before the prompt. No training context may hold it."""
    return f"The right level is {', then '.join(f'{reference:.2f}' for reference in window_reference_actions(task))}.\n"


def _masked(prefix: IntArray, kept: int, services: Services) -> IntArray:
    """Return a prefix with blanks for everything behind its first tokens."""
    (blank, *_) = services.model.tokenizer.encode(" ")
    return np.where(np.arange(len(prefix)) < kept, prefix, blank)


def _lead_in(pairs: Sequence[tuple[IntArray, IntArray]], chain: Trajectory | None, services: Services) -> FloatArray:
    """Return how likely a chain is from each of its S turns on, after both prefixes of P pairs, ``(P, 2, S)``.

    What cannot be read behind both is 0 behind both.
    """
    tails = [] if chain is None else [(chain.ids[turn.start :], chain.mask[turn.start :]) for turn in chain.turns]
    wanted = [(context, ids, mask) for pair in pairs for context in pair for ids, mask in tails]
    likely = services.written_logp(
        [np.concatenate([context, ids]) for context, ids, _ in wanted],
        [np.concatenate([np.zeros(len(context), dtype=bool), mask]) for context, _, mask in wanted],
    ).reshape(len(pairs), 2, len(tails))
    return np.where(np.isnan(likely).any(1, keepdims=True), 0.0, likely)


def _likeliest(task: Task, chains: Sequence[Trajectory], services: Services) -> Trajectory | None:
    good = [chain for chain in chains if chain.format_ok and chain.answer is not None]
    if not good:
        return None
    beliefs = services.belief([_before_answer(chain) for chain in good], [task.reference_action] * len(good))
    return good[int(np.argmax(np.nan_to_num(beliefs, nan=-np.inf)))]


def _before_answer(member: Trajectory) -> IntArray:
    answer = answer_turn(member)
    return member.context(len(member.turns) if answer is None else answer)
