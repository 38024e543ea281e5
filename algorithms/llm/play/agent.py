"""Language models as Agents: they sit in any seat, decide in dialogues, and keep a transcript."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from coopgym.agents.base import Seat
from coopgym.algorithms.llm.play.generators import Generator
from coopgym.algorithms.llm.play.trajectories import Usage
from coopgym.algorithms.llm.play.transcripts import turn_row
from coopgym.games.game import AnyGame
from coopgym.games.spec import View
from coopgym.interfaces.text import Dialogue, Rules, SeatMemory, chat_format_named, prompt_hash
from coopgym.interfaces.text.tools import chosen_tools
from coopgym.oracles.agents.base import registered_game
from coopgym.rewards import reward_layer
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class LanguagePolicy:
    """What plays: a generator and the way it is talked to.

    Attributes:
        generator: who writes.
        dialect: how things are worded.
        rules: turns allowed, and what an unreadable answer leads to.
        tools: names of tools; None are all.
    """

    generator: Generator
    dialect: str = "compact"
    rules: Rules = field(default_factory=Rules)
    tools: tuple[str, ...] | None = None


class LanguageAgent:
    """A language model in a seat.

    Args:
        policy: what plays.
        stochastic: sample messages instead of writing the likeliest.
    """

    version: ClassVar[int] = 1
    """As `coopgym.agents.Strategy.version`."""

    def __init__(self, policy: LanguagePolicy, stochastic: bool = False) -> None:
        self.policy, self.stochastic = policy, stochastic
        self.transcript: list[dict[str, Any]] = []
        """One row per message, as the table ``turns`` has them, run and tokens included."""
        self._deciding: tuple[list[Dialogue], Future[list[list[Usage]]]] | None = None

    def identity(self) -> dict[str, Any]:
        """Return what plays and how it is talked to; as `coopgym.agents.Strategy.identity`."""
        policy = self.policy
        spoken = {"dialect": policy.dialect, "rules": asdict(policy.rules), "tools": policy.tools}
        # Stored runs know the generator as "voice".
        return {"voice": policy.generator.identity(), "stochastic": self.stochastic, **spoken}

    def prompt_hash(self, game: AnyGame, view: View, reward: str) -> str:
        """Return the hash of what the model reads in a game."""
        policy = self.policy
        return prompt_hash(game, view, reward, policy.dialect, policy.rules, policy.tools)

    def fresh(self) -> LanguageAgent:
        """Return another agent with the same policy."""
        return LanguageAgent(self.policy, self.stochastic)

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        """Take a seat in some episodes.

        Raises:
            ValueError: the game is not registered, so that its rules cannot be worked with.
        """
        game, layer = registered_game(seat.game.id, seat.game.parameters), reward_layer(seat.reward).evaluated
        self.seat = seat
        self.memories = [SeatMemory(game, seat, layer) for _ in range(episodes)]
        self.streams = rng.spawn(episodes)
        self.dialect, self.tools = chat_format_named(self.policy.dialect), chosen_tools(self.policy.tools)
        self.cancel()
        self.transcript = []
        self._turns = [0] * episodes

    def act_async(self, observation: FloatArray) -> None:
        """Begin to work out shares for observations ``(episodes, obs_dim)``; `act` waits for them.

        Raises:
            RuntimeError: others have been begun and not been waited for.
        """
        if self._deciding is not None:
            raise RuntimeError("actions are under way: act() collects them, cancel() gives them up")
        for memory, row in zip(self.memories, observation, strict=True):
            memory.see(row)
        dialogues = [Dialogue(memory, self.dialect, self.policy.rules, self.tools) for memory in self.memories]
        self._deciding = dialogues, self.policy.generator.decide(dialogues, self.streams, self.stochastic)

    def act(self, observation: FloatArray) -> FloatArray:
        """Return shares of the endowment ``(episodes,)`` for observations ``(episodes, obs_dim)``."""
        if self._deciding is None:
            self.act_async(observation)
        assert self._deciding is not None
        dialogues, usage = self._deciding
        try:
            for episode, (dialogue, costs) in enumerate(zip(dialogues, usage.result(), strict=True)):
                self._record(episode, dialogue, costs)
        finally:
            self.cancel()
        return np.array([dialogue.action for dialogue in dialogues])

    def cancel(self) -> None:
        """Give up actions that are under way."""
        if self._deciding is not None:
            self._deciding[1].cancel()
            self._deciding = None

    def restart(self, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
        """Start new episodes in some rows."""
        for row in np.flatnonzero(rows):
            memory = self.memories[row]
            self.memories[row] = SeatMemory(memory.game, memory.seat, memory.layer)

    def _record(self, episode: int, dialogue: Dialogue, costs: list[Usage]) -> None:
        left = iter(costs)
        for message in dialogue.turns:
            cost = next(left, Usage()) if message.role == "assistant" else Usage()
            place = {"episode": episode, "seat": self.seat.index, "turn": self._turns[episode]}
            self.transcript.append({**place, **turn_row(message, cost, self.seat.endowment)})
            self._turns[episode] += 1
