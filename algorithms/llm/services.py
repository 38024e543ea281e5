"""The help that samplers, signals and transforms may call for: the policy itself, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from algorithms.llm.conversation import Decoding
from algorithms.llm.data import FloatArray, IntArray
from algorithms.llm.gold import GRID, soft_gold
from algorithms.llm.models import LanguageModel
from algorithms.llm.streams import stream
from algorithms.llm.value_head import ValueHead
from coopgym.interfaces.text import dialect_named

CHUNK = 256
"""Sequences scored at once."""


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
        text = dialect_named(self.dialect).write("submit", {"level": level})
        return np.array([*self.model.tokenizer.encode(text), self.model.tokenizer.end], dtype=np.int64)

    def continuation_logp(
        self, contexts: Sequence[IntArray], endings: Sequence[Sequence[IntArray]]
    ) -> list[FloatArray]:
        """Return the mean log-probability per token of every ending after its context.

        Args:
            contexts: C token sequences.
            endings: for each of them, some continuations.

        Returns:
            For each context, one number per ending.
        """
        self.extra_tokens += sum(len(context) for context in contexts)
        self.extra_tokens += sum(len(ending) for each in endings for ending in each)
        sequences = [
            np.concatenate([context, ending]) for context, own in zip(contexts, endings, strict=True) for ending in own
        ]
        where = [
            np.arange(len(context) + len(ending)) >= len(context)
            for context, own in zip(contexts, endings, strict=True)
            for ending in own
        ]
        sums = []
        with torch.no_grad():
            for start in range(0, len(sequences), CHUNK):
                scores = self.model.score(sequences[start : start + CHUNK], where=where[start : start + CHUNK])
                sums += scores.logp.double().sum(1).tolist()
        means = iter(np.array(sums) / [mask.sum() for mask in where])
        return [np.array([next(means) for _ in own]) for own in endings]

    def answers_logp(self, contexts: Sequence[IntArray], levels: Sequence[float]) -> FloatArray:
        """Return mean log-probabilities ``(C, K)`` of submitting each of K levels after each context."""
        endings = [self.answer_tokens(level) for level in levels]
        return np.stack(self.continuation_logp(contexts, [endings] * len(contexts)))

    def belief(self, contexts: Sequence[IntArray], golds: Sequence[float]) -> FloatArray:
        """Return b = log Σ_k w_k exp(mean log-prob of a_k) over each gold level's soft set, ``(C,)``."""
        sets = [soft_gold(gold) for gold in golds]
        endings = [[self.answer_tokens(float(level)) for level in levels] for levels, _ in sets]
        scored = self.continuation_logp(contexts, endings)
        return np.array(
            [np.log(np.dot(weights, np.exp(logp))) for (_, weights), logp in zip(sets, scored, strict=True)]
        )

    def answer_distribution(self, contexts: Sequence[IntArray]) -> FloatArray:
        """Return the policy's distribution ``(C, 101)`` over the answer grid, if it submitted now.

        Exact up to normalisation over the grid: every level is scored.
        """
        endings = [self.answer_tokens(float(level)) for level in GRID]
        scored = self.continuation_logp(contexts, [endings] * len(contexts))
        totals = np.stack(scored) * np.array([len(ending) for ending in endings])
        weights = np.exp(totals - totals.max(1, keepdims=True))
        return np.asarray(weights / weights.sum(1, keepdims=True))
