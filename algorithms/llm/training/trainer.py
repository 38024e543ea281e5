"""The trainer: steps of sampling, credit and gradient, that stop, resume and repeat to the same numbers."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coopgym.algorithms.common.checkpoint import read_checkpoint, write_checkpoint
from coopgym.algorithms.common.learner_contract import ProgressCallback
from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.method.method import Method, Stage
from coopgym.algorithms.llm.method.minibatch import Totals, minibatch, totals
from coopgym.algorithms.llm.method.streams import stream
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.models import LanguageModel
from coopgym.algorithms.llm.models.storage import copy_into
from coopgym.algorithms.llm.models.value_head import ValueHead
from coopgym.algorithms.llm.play.conversation import Decoding
from coopgym.algorithms.llm.play.reference_actions import bin_of
from coopgym.algorithms.llm.play.trajectories import Batch, Credit, Trajectory
from coopgym.algorithms.llm.play.transcripts import rollout_rows
from coopgym.algorithms.llm.training.scoring import in_parts, rows, scored
from coopgym.record_fields import each, fields, named, number, whole

Metrics = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class TrainerSettings(Settings):
    """What every method shares. The defaults suit the built-in model; for large ones see the spec of each method.

    Attributes:
        prompts: tasks per step.
        group_size: rollouts G per task.
        n_minibatches: gradient updates that a step's rollouts are split into.
        n_epochs: passes over a step's rollouts.
        micro_batch: rollouts whose gradient is computed at once; gradients add up to the minibatch's.
        learning_rate: Adam's step size.
        max_grad_norm: longest gradient.
        max_tokens: longest message.
        temperature: of sampling, and of all log-probabilities that the objective sees.
        recorded_rollouts: rollouts of each step, the first ones, that are kept word by word for the corpus.
    """

    prompts: int = hyperparameter(8, 1)
    group_size: int = hyperparameter(8, 1)
    n_minibatches: int = hyperparameter(1, 1, recorded_as="minibatches")
    n_epochs: int = hyperparameter(1, 1, recorded_as="epochs")
    micro_batch: int = hyperparameter(64, 1)
    learning_rate: float = hyperparameter(5e-4, 0.0, above_low=True)
    max_grad_norm: float = hyperparameter(1.0, 0.0, above_low=True, recorded_as="max_gradient_norm")
    max_tokens: int = hyperparameter(32, 1)
    temperature: float = hyperparameter(1.0, 0.0, above_low=True)
    recorded_rollouts: int = hyperparameter(0, 0)

    @property
    def decoding(self) -> Decoding:
        """How messages are sampled."""
        return Decoding(self.max_tokens, self.temperature)


_progress = fields(
    {
        "steps": whole(),
        "tokens": whole(),
        "decisions": whole(),
        "updates": whole(),
        "history": each(named(number)),
        "rollouts": each(fields({})),
        "slots": named(fields({})),
    },
    closed=True,
)
"""What a checkpoint tells beside tensors."""


class Trainer:
    """Trains a model with a method.

    Args:
        model: the policy; it is changed in place.
        method: the pieces of a step.
        settings: what does not depend on the method.
        dialect: how the tasks word things.
        seed: all chance follows from it.
    """

    def __init__(
        self, model: LanguageModel, method: Method, settings: TrainerSettings, dialect: str = "compact", seed: int = 0
    ) -> None:
        self.model, self.method, self.settings, self.dialect, self.seed = model, method, settings, dialect, seed
        self.reference = model.frozen_copy() if method.needs_reference else None
        self.slow = None if method.slow_decay is None else {name: w.clone() for name, w in model.state().items()}
        """A moving average of what training changes, where the objective wants one."""
        self.critic = ValueHead(model.width).to(model.device) if method.needs_critic else None
        parameters = [*model.parameters(), *(self.critic.parameters() if self.critic else ())]
        self.optimiser = torch.optim.Adam(parameters, settings.learning_rate)
        self.steps = 0
        self.tokens = 0
        """Tokens generated and spent on help so far."""
        self.decisions = 0
        """Decisions taken in rollouts so far."""
        self.updates = 0
        """Gradient updates so far."""
        self.history: list[Metrics] = []
        """Metrics of every step."""
        self.rollouts: list[dict[str, Any]] = []
        """Rollouts that are kept, as rows of the table ``turns`` but for the run."""

    def step(self) -> Metrics:
        """Take one training step.

        Raises:
            FloatingPointError: training has diverged: a loss, a gradient or a parameter is no longer finite.
        """
        method, stage, settings = self.method, self.method.stage(self.steps), self.settings
        services = Services(self.model, settings.decoding, self.dialect, self.seed, self.critic)
        tasks = method.curriculum.tasks(settings.prompts, self.steps)
        groups = method.sampler.sample(tasks, settings.group_size, services, self.steps)
        sampled = Batch(groups, self.steps)
        metrics = rollout_measures(sampled)
        self._keep(sampled)
        self.decisions += sum(member.decisions for member in sampled.trajectories)
        self.tokens += sum(group.tokens for group in groups)
        for signal in stage.signals_before:
            signal.annotate(sampled, services)
        for transform in stage.transforms:
            groups = transform.apply(groups, services)
        for signal in stage.signals_after:
            signal.annotate(Batch(groups, self.steps), services)
        batch = Batch(method.curriculum.compose(groups), self.steps)
        method.curriculum.update(Batch(groups, self.steps))
        self.tokens += services.extra_tokens
        if batch.trajectories:
            self._annotate(batch)
            credit = stage.credit.assign(batch)
            metrics |= credit_measures(batch, credit) | credit.metrics | self._learn(stage, batch.trajectories, credit)
        self.steps += 1
        metrics |= {"tokens": float(self.tokens), "extra_tokens": float(services.extra_tokens)}
        self.history.append({"decisions": float(self.decisions), **metrics})
        return metrics

    def train(
        self,
        decisions: int,
        *,
        tokens: int | None = None,
        progress: ProgressCallback | None = None,
        checkpoint: Path | None = None,
        checkpoint_every: int = 1,
        checkpoint_seconds: float = 60.0,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        """Take steps until a budget is used up.

        Args:
            decisions: budget of decisions in rollouts.
            tokens: budget of tokens, generated ones and help together; None for none.
            progress: called after every step with the part of the budget that is used, in decisions.
            checkpoint: folder to resume from, if it holds a checkpoint, and to write to.
            checkpoint_every: steps between checkpoints; the last step writes one too.
            checkpoint_seconds: least time between checkpoints, but for the last.
            identity: what makes the training this one; a checkpoint of another one is refused.

        Raises:
            FloatingPointError: training has diverged.
            ValueError: the checkpoint cannot be used.
        """
        run = {**(identity or {}), **self.settings.values(), "seed": self.seed}
        if checkpoint is not None and (found := read_checkpoint(checkpoint, run, _progress, self.settings.current)):
            self._restore(*found)
        written = time.monotonic()
        while self.decisions < decisions and (tokens is None or self.tokens < tokens):
            self.step()
            due = self.steps % checkpoint_every == 0 and time.monotonic() - written >= checkpoint_seconds
            if checkpoint is not None and due:
                write_checkpoint(checkpoint, run, *self._state())
                written = time.monotonic()
            if progress:
                progress(min(self.decisions, decisions), decisions)
        if checkpoint is not None:
            write_checkpoint(checkpoint, run, *self._state())

    def _keep(self, sampled: Batch) -> None:
        """Keep the first rollouts of a step."""
        first = zip(sampled.trajectories, sampled.tasks, range(self.settings.recorded_rollouts), strict=False)
        for member, task, _ in first:
            number = self.rollouts[-1]["episode"] + 1 if self.rollouts else 0
            endowment = float(task.settings.made.spec.endowments[member.seat])
            self.rollouts += rollout_rows(member, number, self.steps, endowment)

    def _annotate(self, batch: Batch) -> None:
        """Add what the objective or the critic needs: reference log-probabilities and values."""
        trajectories, size = batch.trajectories, self.settings.micro_batch
        if self.reference is not None:
            parts = in_parts(self.reference, trajectories, size, temperature=self.settings.temperature)
            for member, logp in zip(trajectories, rows([part.logp for part in parts], trajectories), strict=True):
                member.logp_ref = logp
        if self.slow is not None:
            now = {name: weight.clone() for name, weight in self.model.state().items()}
            self.model.restore(self.slow)
            parts = in_parts(self.model, trajectories, size, temperature=self.settings.temperature)
            self.model.restore(now)
            for member, logp in zip(trajectories, rows([part.logp for part in parts], trajectories), strict=True):
                member.logp_slow = logp
        if self.critic is not None:
            parts = in_parts(self.model, trajectories, size, self.critic)
            tables = [part.values for part in parts if part.values is not None]
            for member, values in zip(trajectories, rows(tables, trajectories), strict=True):
                member.signals["values"] = values

    def _learn(self, stage: Stage, trajectories: list[Trajectory], credit: Credit) -> Metrics:
        """Take the gradient updates of a step."""
        settings, count = self.settings, len(trajectories)
        orders = (
            stream(self.seed, "minibatches", self.steps, epoch).permutation(count) for epoch in range(settings.n_epochs)
        )
        parts = (part for order in orders for part in np.array_split(order, min(settings.n_minibatches, count)))
        counted = [(part.tolist(), totals(credit, part.tolist())) for part in parts]
        gathered = [self._update(stage, trajectories, credit, *each) for each in counted if each[1].tokens]
        return {name: float(np.mean([each[name] for each in gathered])) for name in (gathered[0] if gathered else ())}

    def _update(
        self, stage: Stage, trajectories: list[Trajectory], credit: Credit, members: list[int], counted: Totals
    ) -> Metrics:
        """Take one gradient update on a minibatch, computed in parts."""
        metrics: Metrics = {}
        # Trajectories of like length share a part, so that little is padded; sums do not depend on the order.
        members = sorted(members, key=lambda i: len(trajectories[i].prompt_ids) + len(trajectories[i].ids))
        self.optimiser.zero_grad()
        for start in range(0, len(members), self.settings.micro_batch):
            part = members[start : start + self.settings.micro_batch]
            padded = minibatch(trajectories, credit, part, counted, self.model.device)
            chosen = [trajectories[i] for i in part]
            found = scored(self.model, chosen, self.critic, self.settings.temperature)
            loss, measured = stage.objective.loss(found.logp, padded.with_values(found.values, found.entropy))
            loss.backward()
            for name, value in (measured | {"loss": loss.item()}).items():
                metrics[name] = metrics.get(name, 0.0) + value
        parameters = [each for group in self.optimiser.param_groups for each in group["params"]]
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, self.settings.max_grad_norm))
        if not math.isfinite(metrics["loss"] + norm):
            raise FloatingPointError(f"step {self.steps}: loss {metrics['loss']}, gradient norm {norm}")
        self.optimiser.step()
        self._follow()
        self.updates += 1
        return metrics | {"gradient_norm": norm}

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the slow copy follow the policy."""
        decay = self.method.slow_decay
        if self.slow is not None and decay is not None:
            for name, weight in self.model.state().items():
                self.slow[name].lerp_(weight, 1.0 - decay)

    def _state(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state().items()}
        if self.reference is not None:
            tensors |= {f"reference.{name}": tensor for name, tensor in self.reference.state().items()}
        if self.slow is not None:
            tensors |= {f"slow.{name}": tensor for name, tensor in self.slow.items()}
        if self.critic is not None:
            tensors |= {f"critic.{name}": tensor for name, tensor in self.critic.state().items()}
        for place, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{place}.{name}": tensor for name, tensor in moments.items()}
        facts = {
            "steps": self.steps,
            "tokens": self.tokens,
            "decisions": self.decisions,
            "updates": self.updates,
            "history": self.history,
            "rollouts": self.rollouts,
            "slots": {name: slot.state_dict() for name, slot in self.method.slots.items()},
        }
        return facts, tensors

    def _restore(self, facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        def part(prefix: str) -> dict[str, torch.Tensor]:
            return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

        self.model.restore(part("model."))
        if self.reference is not None:
            self.reference.restore(part("reference."))
        if self.slow is not None:
            copy_into(self.slow, part("slow."))
        if self.critic is not None:
            self.critic.restore(part("critic."))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in part("adam.").items():
            number, _, moment = name.partition(".")
            moments.setdefault(int(number), {})[moment] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": moments})
        self.steps, self.updates = facts["steps"], facts["updates"]
        self.tokens, self.decisions = facts["tokens"], facts["decisions"]
        self.history = [dict(row) for row in facts["history"]]
        self.rollouts = [dict(row) for row in facts["rollouts"]]
        for name, state in facts["slots"].items():
            self.method.slots[name].load_state_dict(json.loads(json.dumps(state)))


def rollout_measures(batch: Batch) -> Metrics:
    """Return means over a batch's rollouts: outcome, nearness to the oracle, welfare, dialogue and tool use."""
    members, tasks = batch.trajectories, batch.tasks
    played = [(member, task) for member, task in zip(members, tasks, strict=True) if member.levels]
    gaps = [
        abs(member.answer - task.reference_action)
        for member, task in zip(members, tasks, strict=True)
        if member.answer is not None
    ]
    calls = [call for member in members for turn in member.turns for call in turn.calls]
    decisions = sum(member.decisions for member in members)
    measures = {
        "outcome": float(batch.outcomes.mean()),
        "correct": float(np.mean([member.correct for member in members])),
        "answered": len(gaps) / len(members),
        "well_formed": float(np.mean([member.format_ok for member in members])),
        "turns_per_decision": sum(len(member.turns) for member in members) / decisions,
        "tokens_per_decision": sum(member.written for member in members) / decisions,
        "calls_valid": float(np.mean([call.ok for call in calls])) if calls else 0.0,
        "distinct_answers": float(
            np.mean([len({bin_of(member.answer) for member in group.members} - {None}) for group in batch.groups])
        ),
    }
    if played:
        measures["level"] = float(np.mean([level for member, _ in played for level in member.levels]))
        measures["welfare"] = float(np.mean([member.payoffs.sum() for member, _ in played]))
        measures["payoff_share"] = float(np.mean([task.payoff_share(member.payoffs) for member, task in played]))
    if gaps:
        measures["oracle_gap"] = float(np.mean(gaps))
    return measures


def credit_measures(batch: Batch, credit: Credit) -> Metrics:
    """Return the variance of advantages and the share of groups that teach nothing."""
    advantages = [
        np.sum([credit.adv[channel][i] * credit.weight[channel][i] for channel in credit.adv], axis=0)[mask]
        for i, mask in enumerate(credit.mask)
    ]
    flat, start = [], 0
    for group in batch.groups:
        own = advantages[start : start + len(group.members)]
        flat.append(all(not each.any() for each in own))
        start += len(group.members)
    together = np.concatenate(advantages)
    return {
        "advantage_variance": float(together.var()) if together.size else 0.0,
        "flat_groups": float(np.mean(flat)),
    }
