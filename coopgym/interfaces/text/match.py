"""A game played through dialogues: an episode or a window of it, talkers in some seats and agents in the others."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.agents.base import Seat, joint_actions
from coopgym.agents.claims import check_claims, claim
from coopgym.games.game import checked_view
from coopgym.games.registry import make_game
from coopgym.games.spec import View
from coopgym.interfaces.text.chat_formats import ChatFormat, chat_format_named
from coopgym.interfaces.text.dialogue import Dialogue, DialogueEnding, Message, Reply, Rules, transcript
from coopgym.interfaces.text.schemas import Tool
from coopgym.interfaces.text.seat_memory import SeatMemory
from coopgym.interfaces.text.seating import PartnerMaker, checked_seats, checked_window, seated_agents
from coopgym.interfaces.text.tools import chosen_tools
from coopgym.play.engine import Engine
from coopgym.rewards import RewardLayer, reward_layer
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class SeatOutcome:
    """What became of one seat's decisions, H of them in a game of N agents."""

    shares: FloatArray
    """``(H,)`` shares played."""
    rewards: FloatArray
    """``(H,)`` own rewards as the match pays them, transforms included, before penalties."""
    payoffs: FloatArray
    """``(H, N)`` material payoffs of everybody."""
    welfare: FloatArray
    """``(H,)`` sums of payoffs."""
    penalties: FloatArray
    """``(H,)`` what decisions without a legal answer cost under the rule ``"penalty"``."""

    @property
    def total(self) -> float:
        """Rewards less penalties, summed over decisions."""
        return float(self.rewards.sum() - self.penalties.sum())


@dataclass(frozen=True)
class Snapshot:
    """A match as it stood; `TextMatch.restore` plays on from it, as often as one likes."""

    match: TextMatch


class TextMatch:
    """A window of an episode in which some seats decide in dialogues.

    Two matches made with the same arguments stand in the same state and meet the same chance: what their talkers write
    is all that can tell them apart. Chance and partners are seeded as in `coopgym.play.play`.

    Args:
        game_id: for example ``"TrustDilemma-v1"``.
        parameters: keywords of the game.
        seats: which seats decide in dialogues.
        reward: text, a mode or `Rewards`, as `coopgym.reward_layer` takes it.
        view: what these seats see; None is the game's default. Partners see the view ``"own"``.
        partners: who plays the other seats: one name or factory for all of them, or one per seat. Where the window
            starts later than the episode, they play the steps before it in all seats, so the talkers' need one too.
        seed: of chance and partners.
        start: steps played before the first decision.
        decisions: steps in which the seats decide; None are all that are left.
        dialect: ``"compact"``, ``"json"`` or a chat format.
        rules: of the dialogues.
        tools: names of tools, or tools, ``submit`` among them; None are all.

    Raises:
        ValueError: an unknown name, seats or a window that the game does not have, or seats without a partner.
        TypeError: a partner that is no agent.
    """

    def __init__(
        self,
        game_id: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        seats: int | Sequence[int] = (0,),
        reward: str | RewardLayer = "private",
        view: str | None = None,
        partners: PartnerMaker | Mapping[int, PartnerMaker] = "TitForTat",
        seed: int = 0,
        start: int = 0,
        decisions: int | None = 1,
        dialect: str | ChatFormat = "compact",
        rules: Rules | None = None,
        tools: Sequence[str | Tool] | None = None,
    ) -> None:
        self.game = make_game(game_id, **(parameters or {}))
        self.layer = reward_layer(reward)
        self.layer.check(self.game)
        self.view = checked_view(self.game, view)
        self.seats = checked_seats(self.game, seats)
        self.dialect = chat_format_named(dialect)
        self.rules = rules or Rules()
        self.tools = chosen_tools(tools)
        self.start, self.decisions = checked_window(self.game, start, decisions)
        if seed is None:
            raise ValueError("seed=None: expected a whole number, so that the match can be played again")
        self._engine = Engine(self.game, self.layer)
        self._engine.reset(seed)
        self._agents = seated_agents(self.game, self.seats, partners, self.start)
        self._memories = {
            seat: SeatMemory(self.game, self._place(seat, self.view), self.layer.evaluated) for seat in self.seats
        }
        self._dialogues: dict[int, list[Dialogue]] = {seat: [] for seat in self.seats}
        self._steps: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        """Shares, rewards and payoffs, ``(N,)`` each, of every step that was talked about."""
        self._ended = False
        places = {seat: self._place(seat, "own") for seat in self._agents}
        self._constants = (
            *(self.game, self.game.spec, self.layer, self.dialect, self.rules, self.tools),
            *(memory.seat for memory in self._memories.values()),
            *places.values(),
        )
        self._claim = object()
        claim(self._agents.values(), self._claim)
        streams = np.random.default_rng(seed).spawn(self.game.n_agents)
        for seat, agent in self._agents.items():
            agent.begin(places[seat], 1, streams[seat])
        self._warm_up()
        self._open()

    @property
    def finished(self) -> bool:
        """Whether all decisions of the window are made, or the episode has ended."""
        return self._ended or len(self._steps) == self.decisions

    @property
    def waiting(self) -> tuple[int, ...]:
        """Seats whose decision is open."""
        return () if self.finished else tuple(seat for seat in self.seats if not self.dialogue(seat).decided)

    def dialogue(self, seat: int) -> Dialogue:
        """Return a seat's latest dialogue.

        Raises:
            ValueError: the seat does not decide in dialogues.
        """
        return self._of(seat)[-1]

    def dialogues(self, seat: int) -> tuple[Dialogue, ...]:
        """Return a seat's dialogues, one per decision so far.

        Raises:
            ValueError: the seat does not decide in dialogues.
        """
        return tuple(self._of(seat))

    def prompt(self, seat: int) -> str:
        """Return the prompt of a seat's latest decision.

        Raises:
            ValueError: the seat does not decide in dialogues.
        """
        return self.dialogue(seat).prompt

    def send(self, seat: int, text: str) -> Reply:
        """Pass on a message of a seat's model; once no decision is open, everybody plays and the next decisions open.

        Raises:
            ValueError: the seat does not decide in dialogues, or an agent's action is not playable.
            RuntimeError: the seat's decision is made.
        """
        self._refuse_unless_waiting(seat)
        reply = self.dialogue(seat).receive(text)
        self._play_when_decided()
        return reply

    def abort(self, seat: int, reason: DialogueEnding = "max_tokens", text: str = "") -> Reply:
        """End a seat's decision without an answer, as `Dialogue.abort`.

        Raises:
            ValueError, RuntimeError: as `send`.
        """
        self._refuse_unless_waiting(seat)
        reply = self.dialogue(seat).abort(reason, text)
        self._play_when_decided()
        return reply

    def outcome(self, seat: int) -> SeatOutcome:
        """Return what has become of a seat's decisions so far.

        Raises:
            ValueError: the seat does not decide in dialogues.
        """
        played = self._of(seat)[: len(self._steps)]
        count = self.game.n_agents
        shares, rewards, payoffs = (
            np.array([step[part] for step in self._steps]).reshape(-1, count) for part in range(3)
        )
        penalties = np.array([dialogue.penalty for dialogue in played], dtype=np.float64)
        return SeatOutcome(shares[:, seat], rewards[:, seat], payoffs, payoffs.sum(axis=1), penalties)

    def transcript(self, seat: int) -> list[Message]:
        """Return everything said in a seat's dialogues.

        Raises:
            ValueError: the seat does not decide in dialogues.
        """
        return transcript(self._of(seat))

    def snapshot(self) -> Snapshot:
        """Keep the match as it stands, partners and chance included."""
        return Snapshot(copy.deepcopy(self))

    @staticmethod
    def restore(snapshot: Snapshot) -> TextMatch:
        """Return a match that plays on from a snapshot, independent of all others."""
        return copy.deepcopy(snapshot.match)

    def __deepcopy__(self, memo: dict[int, Any]) -> TextMatch:
        # What no longer changes is shared: rebuilding a game for every branch of a tree costs more than playing it.
        believed = [memory.world_model.state for memory in self._memories.values()]
        closed = [dialogue for said in self._dialogues.values() for dialogue in said if dialogue.decided]
        memo |= {id(constant): constant for constant in (*self._constants, *closed, *believed, self._engine.state)}
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin

    def _of(self, seat: int) -> list[Dialogue]:
        if seat not in self._dialogues:
            raise ValueError(f"seat={seat!r}: the dialogues of this match are those of seats {self.seats}")
        return self._dialogues[seat]

    def _refuse_unless_waiting(self, seat: int) -> None:
        if self.finished:
            raise RuntimeError(f"{self.game.id}: the match is finished; make another one or restore a snapshot")
        if self.dialogue(seat).decided:
            raise RuntimeError(f"{self.game.id}: seat {seat} has decided; waiting for seats {self.waiting}")

    def _place(self, seat: int, view: View) -> Seat:
        return Seat.of(self.game, seat, view, self.layer.mode.name)

    def _warm_up(self) -> None:
        """Play the steps before the window; talkers watch, and agents in their seats leave afterwards."""
        for step in range(self.start):
            self._show()
            self._step({})
            if self._ended:
                raise ValueError(f"start={self.start}: the episode ended after {step + 1} steps; start earlier")
        self._steps.clear()
        self._agents = {seat: agent for seat, agent in self._agents.items() if seat not in self.seats}

    def _show(self) -> None:
        observations = self.game.observe(self._engine.state, self.view)
        for seat, memory in self._memories.items():
            memory.see(observations[seat])

    def _open(self) -> None:
        self._show()
        for seat, memory in self._memories.items():
            self._dialogues[seat].append(Dialogue(memory, self.dialect, self.rules, self.tools))

    def _play_when_decided(self) -> None:
        if not self.waiting:
            self._step({seat: self.dialogue(seat).action for seat in self.seats})
            if not self.finished:
                self._open()

    def _step(self, shares: Mapping[int, float]) -> None:
        """Play one step: the given shares, and the agents' answers in all other seats."""
        endowments = self.game.spec.endowments
        actions = np.empty(self.game.n_agents)
        if self._agents:
            observations = self.game.observe(self._engine.state, "own")
            check_claims(self._agents.values(), self._claim)
            asked = [(seat, agent, observations[seat][None]) for seat, agent in self._agents.items()]
            for (seat, _, _), answer in zip(asked, joint_actions(self.game, asked), strict=True):
                actions[seat] = answer[0]
        for seat, share in shares.items():
            actions[seat] = share * endowments[seat]
        transition, rewards = self._engine.step(actions)
        self._ended = bool(transition.terminated) or bool(transition.truncated)
        self._steps.append((actions / endowments, np.asarray(rewards), np.asarray(transition.payoffs)))


text_env = TextMatch
"""The text interface by the name that `coopgym` gives it."""
