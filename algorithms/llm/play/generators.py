"""Generators: who writes an agent's messages. A model that is at hand token by token, or one behind an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from coopgym.algorithms.llm.play.conversation import Decoding, Rollout, converse
from coopgym.algorithms.llm.play.sessions import DecisionSession
from coopgym.algorithms.llm.play.trajectories import Usage
from coopgym.interfaces.text import Dialogue

if TYPE_CHECKING:
    from coopgym.algorithms.llm.models import Generation, LanguageModel


REMEMBERED = 20_000
"""Messages that a generator remembers; then it starts afresh."""


class Generator(Protocol):
    """Writes messages until decisions are made."""

    def identity(self) -> dict[str, Any]:
        """Return the settings that determine what it writes, as JSON values."""

    def decide(
        self, dialogues: Sequence[Dialogue], streams: Sequence[np.random.Generator], stochastic: bool
    ) -> Future[list[list[Usage]]]:
        """Begin to hold dialogues to their ends, side by side.

        Args:
            dialogues: open decisions.
            streams: the chance of each.
            stochastic: sample messages instead of writing the likeliest.

        Returns:
            What has an answer once all are decided: for each dialogue, what each of its messages took.
        """


@dataclass(eq=False)
class ModelGenerator:
    """A language model at hand.

    The likeliest message is a function of what was read, so it is computed once per context: play that settles costs
    nothing any more.
    """

    model: LanguageModel
    decoding: Decoding = field(default_factory=Decoding)
    _known: dict[bytes, Generation] = field(default_factory=dict, init=False, repr=False)

    def identity(self) -> dict[str, Any]:
        """Return how messages are sampled. Who plays with a model at hand knows what trained it."""
        return asdict(self.decoding)

    def decide(
        self, dialogues: Sequence[Dialogue], streams: Sequence[np.random.Generator], stochastic: bool
    ) -> Future[list[list[Usage]]]:
        """Hold dialogues to their ends, at once."""
        rollouts = [
            Rollout(DecisionSession(dialogue), self.model, stream)
            for dialogue, stream in zip(dialogues, streams, strict=True)
        ]
        converse(rollouts, self.decoding if stochastic else self)
        decided: Future[list[list[Usage]]] = Future()
        decided.set_result([_usage(rollout, drawn=stochastic) for rollout in rollouts])
        return decided

    def write(self, rollouts: Sequence[Rollout]) -> list[Generation]:
        """Return the likeliest message of every rollout."""
        contexts = {rollout.context.tobytes(): rollout.context for rollout in rollouts}
        if len(self._known) > REMEMBERED:
            self._known.clear()
        if unknown := [key for key in contexts if key not in self._known]:
            written = self.model.generate(
                [contexts[key] for key in unknown], max_tokens=self.decoding.max_tokens, temperature=0.0
            )
            self._known |= zip(unknown, written, strict=True)
        return [self._known[rollout.context.tobytes()] for rollout in rollouts]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_known": {}}


def _usage(rollout: Rollout, drawn: bool) -> list[Usage]:
    return [usage for message, usage in rollout.spoken(drawn=drawn) if message.role == "assistant"]
