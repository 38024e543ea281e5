"""Formal games whose seats pass to newcomers: who has been outside for long is replaced, with fresh relations."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.parameters import FormalParameters
from coopgym.games.game import Transition
from coopgym.games.parameters import parameter
from coopgym.games.state import State, state_arrays
from coopgym.games.traits import Traits

ENTRY_AFTER = 10
"""Steps in a row that a seat is played outside before a newcomer takes it."""
STAYS = ("entries", "cost_factor")
"""What belongs to a seat, whoever sits in it."""


@dataclass(frozen=True, kw_only=True)
class EntryParameters(FormalParameters):
    """Adds whether newcomers take the seats of those who stay away."""

    entry: bool = parameter(
        False, joined_later=True, doc=f"True lets a newcomer take a seat that has been outside for {ENTRY_AFTER} steps"
    )


@dataclass(frozen=True)
class EntryState(State):
    """Adds how long seats have been outside, and how often they have passed to newcomers."""

    away: Any = field(default=None, kw_only=True)
    """``(..., N)`` steps in a row that were played outside; None where nobody enters, as below."""
    entries: Any = field(default=None, kw_only=True)
    """``(..., N)`` newcomers so far, whole numbers."""


StateT = TypeVar("StateT", bound=EntryState)
ParametersT = TypeVar("ParametersT", bound=EntryParameters)


class EntryGame(FormalGame[StateT, ParametersT], Generic[StateT, ParametersT]):
    """Mixes newcomers into a game that says which seats are `outside`.

    A newcomer begins as its seat began: relations to and from it, stocks and last action have their opening values.
    """

    def __init__(self, parameters: ParametersT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        if parameters.entry:
            # Nobody is replaced sooner than a step after coming in and `ENTRY_AFTER` steps outside.
            self.most_entries = -(-self.spec.horizon // (ENTRY_AFTER + 1))
            opening = state_arrays(self.initial_state((), None, *self._blank_draws()))
            self._opening = {name: own for name, own in opening.items() if own.ndim and name not in STAYS}

    @abstractmethod
    def outside(self, state: StateT) -> Array:
        """Seats that have left and may yet return, ``(..., N)`` of 0 and 1."""

    def entries(self, state: StateT) -> Array:
        return state.entries

    def step(self, state: StateT, actions: Array, normals: Array | None = None) -> Transition:
        transition = super().step(state, actions, normals)
        if self.parameters.entry:
            transition.state = self.with_newcomers(state, transition.state)  # type: ignore[arg-type]  # its own
        return transition

    def with_newcomers(self, before: StateT, after: StateT) -> StateT:
        """Return the next state in which newcomers have taken the seats that were outside for too long."""
        away = (before.away + 1.0) * self.outside(before) * self.outside(after)
        enters = away >= ENTRY_AFTER
        after = replace(after, away=away, entries=before.entries + enters)
        if self.xp is np and not enters.any():
            return after  # only NumPy may ask: on a device the answer would have to be waited for
        fresh = {1: enters, 2: enters[..., :, None] | enters[..., None, :]}
        arrays = {
            name: self.xp.where(fresh[own.ndim], own, getattr(after, name)) for name, own in self._opening.items()
        }
        return replace(after, **arrays)

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        stocks = super().initial_stocks(batch, uniforms, normals)
        if not self.parameters.entry:
            return stocks
        n = self.n_agents
        return {**stocks, "away": self.full(batch, 0.0, (n,)), "entries": self.full(batch, 0, (n,), self.xp.int64)}

    def public_blocks(self, state: StateT) -> dict[str, Array]:
        blocks = super().public_blocks(state)
        return {**blocks, "away": state.away / ENTRY_AFTER} if self.parameters.entry else blocks

    def state_info(self, state: StateT) -> dict[str, Any]:
        told = super().state_info(state)
        return {**told, "away": state.away, "entries": state.entries} if self.parameters.entry else told

    def step_info(self, before: StateT, cooperation: Array, transition: Transition) -> dict[str, Array]:
        told = super().step_info(before, cooperation, transition)
        if not self.parameters.entry:
            return told
        after: StateT = transition.state  # type: ignore[assignment]  # a game's transitions hold its own states
        return {**told, "newcomers": after.entries > before.entries}

    def extra_state(self, state: StateT) -> Array:
        known = super().extra_state(state)
        return self.xp.concat([known, state.away], axis=-1) if self.parameters.entry else known

    def circumstances(self) -> tuple[str, ...]:
        if not self.parameters.entry:
            return super().circumstances()
        return (
            *super().circumstances(),
            f"Whoever has been outside for {ENTRY_AFTER} steps in a row is replaced: a newcomer takes the seat and is "
            "inside, with trust, reputation and all else that is its own as at the start of the episode. In what you "
            f"see, away is how many of these {ENTRY_AFTER} steps have passed for each seat, as a share.",
        )

    def traits(self) -> Traits:
        inherited = super().traits()
        if not self.parameters.entry:
            return inherited
        # Who defects for long enough is replaced by somebody trusted: stocks can rise with less cooperation.
        return replace(
            inherited,
            monotone_in_actions={},
            monotone_in_stocks={**inherited.monotone_in_stocks, "away": 0, "entries": 0},
            unbounded="newcomers: seats that stay away begin anew, so that less cooperation can lead to more trust, "
            "and no bound on rewards that follows full cooperation holds (entry=True)",
        )
