"""The help that samplers, signals and transforms may call for: the policy itself, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.special import logsumexp, softmax

from coopgym.algorithms.llm.method.streams import stream
from coopgym.algorithms.llm.models import LanguageModel
from coopgym.algorithms.llm.models.continuation_scores import endings_logp
from coopgym.algorithms.llm.models.value_head import ValueHead
from coopgym.algorithms.llm.play.conversation import Decoding, Rollout, converse
from coopgym.algorithms.llm.play.reference_actions import GRID, soft_gold
from coopgym.interfaces.text import chat_format_named
from coopgym.typing import BoolArray, FloatArray, IntArray

CELLS = 65_536
"""Tokens scored at once, unless one sequence alone has more."""


@dataclass
class Services:
    """What a training step lends to its pieces. Every token read or written for them is counted."""

    model: LanguageModel
    """The policy that samples in this step."""
    decoding: Decoding
    dialect: str
    seed: int
    values: ValueHead | None = None
    """The critic, where the method has one."""
    extra_tokens: int = field(default=0)
    """Tokens spent on probes, continuations and helpers, besides the rollouts themselves."""

    def stream(self, purpose: str, *place: int) -> np.random.Generator:
        """Return the chance of one purpose at one place, e.g. ("rollout", step, task, member)."""
        return stream(self.seed, purpose, *place)

    def answer_tokens(self, level: float) -> IntArray:
        """Return the message that submits a level, its end included."""
        text = chat_format_named(self.dialect).write("submit", {"level": level})
        return np.array([*self.model.tokenizer.encode(text), self.model.tokenizer.end], dtype=np.int64)

    def continuation_logp(
        self, contexts: Sequence[IntArray], endings: Sequence[Sequence[IntArray]]
    ) -> list[FloatArray]:
        """Return the mean log-probability per token of every ending after its context.

        Args:
            contexts: C token sequences.
            endings: for each of them, some continuations.

        Returns:
            For each context, one number per ending; NaN where both together are longer than the model can read.
        """
        sums, read = endings_logp(self.model, contexts, endings)
        self.extra_tokens += read
        return [row / [len(ending) for ending in own] for row, own in zip(sums, endings, strict=True)]

    def written_logp(self, sequences: Sequence[IntArray], where: Sequence[BoolArray]) -> FloatArray:
        """Return the mean log-probability ``(S,)`` of some tokens of each sequence.

        Args:
            sequences: S of them.
            where: for each of them, which tokens count, at least one.

        Returns:
            NaN for a sequence that is longer than the model can read.
        """
        self.extra_tokens += sum(len(sequence) for sequence in sequences)
        means = np.full(len(sequences), np.nan)
        readable = [i for i, sequence in enumerate(sequences) if len(sequence) <= self.model.context]
        count = max(1, CELLS // max((len(sequences[i]) for i in readable), default=1))
        with torch.no_grad():
            for start in range(0, len(readable), count):
                part = readable[start : start + count]
                scores = self.model.score([sequences[i] for i in part], where=[where[i] for i in part])
                means[part] = scores.logp.double().sum(1).cpu().numpy() / [where[i].sum() for i in part]
        return means

    def converse(self, rollouts: Sequence[Rollout]) -> None:
        """Let rollouts that are no part of the batch go on to their end."""
        converse(rollouts, self.decoding)
        self.extra_tokens += sum(len(rollout.context) for rollout in rollouts)

    def answers_logp(self, contexts: Sequence[IntArray], levels: Sequence[float]) -> FloatArray:
        """Return mean log-probabilities ``(C, K)`` of submitting each of K levels after each context."""
        endings = [self.answer_tokens(level) for level in levels]
        scored = self.continuation_logp(contexts, [endings] * len(contexts))
        return np.array(scored, dtype=np.float64).reshape(len(contexts), len(levels))

    def belief(self, contexts: Sequence[IntArray], golds: Sequence[float]) -> FloatArray:
        """Return b = log Σ_k w_k exp(mean log-prob of a_k) over each gold level's soft set, ``(C,)``."""
        sets = [soft_gold(gold) for gold in golds]
        endings = [[self.answer_tokens(float(level)) for level in levels] for levels, _ in sets]
        scored = self.continuation_logp(contexts, endings)
        return np.array([logsumexp(logp, b=weights) for (_, weights), logp in zip(sets, scored, strict=True)])

    def answer_distribution(self, contexts: Sequence[IntArray]) -> FloatArray:
        """Return the policy's distribution ``(C, 101)`` over the answer grid, if it submitted now.

        Exact up to normalisation over the grid: every level is scored.
        """
        lengths = [len(self.answer_tokens(level)) for level in GRID.tolist()]
        return softmax(self.answers_logp(contexts, GRID.tolist()) * lengths, axis=1)
