"""Checks that an agent keeps the promises of `coopgym.agents.base.Agent`."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.agents.base import Agent, Seat, playable_shares
from coopgym.agents.registry import make_agent
from coopgym.games.registry import make_game
from coopgym.games.spec import View
from coopgym.interrupts import is_interrupt, recognisable_interrupts
from coopgym.testing.conformance import ConformanceError, require, run_checks
from coopgym.testing.tape import random_tape, replay
from coopgym.typing import FloatArray
from coopgym.user_code import home_of, message_of, place_of

GAMES = ("PartnerHoldUp-v1", "AppleAppStore-v1", "PartnerHoldUp-v0", "AppleAppStore-v0")
"""Games with two and with three unequal seats, in both editions."""
STEPS = 8
"""Steps of the play that most checks show; whole episodes are shown once."""
EPISODES = 3
RESTART_AFTER = 3
WRITES = "act() changes the observation it is shown; work on a copy"
SAME = 1e-9
"""How far two sequences of shares may differ and still be the same."""


@dataclass(frozen=True, eq=False)
class Case:
    """A seat and what it saw in a recorded play."""

    seat: Seat
    observations: FloatArray
    """``(steps, episodes, obs_dim)``."""

    def __str__(self) -> str:
        return f"in seat {self.seat.index} of {self.seat.game.id} (view {self.seat.view!r})"


@dataclass(frozen=True, eq=False)
class Subject:
    """An agent under test: how to make it, and what it is shown."""

    make: Callable[[], Any]
    games: tuple[str, ...]
    seed: int
    views: tuple[View, ...] = field(default=("own", "full"))

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Every seat of every game under every view."""
        return tuple(case for id in self.games for view in self.views for case in _recorded(id, view, self.seed, STEPS))

    def whole_episodes(self) -> Iterator[Case]:
        """Every seat of every game up to its horizon, under the first view."""
        for id in self.games:
            yield from _recorded(id, self.views[0], self.seed, None)

    def began(self, case: Case, episodes: int = EPISODES) -> Any:
        """Return a new agent that has begun a case."""
        agent = self.make()
        agent.begin(case.seat, episodes, np.random.default_rng(self.seed))
        return agent

    def moves(self, case: Case, agent: Any = None, seed: int | None = None) -> FloatArray:
        """Shares ``(steps, episodes)`` of an agent (a new one unless given) that watches a case from its beginning."""
        agent = self.make() if agent is None else agent
        agent.begin(case.seat, case.observations.shape[1], np.random.default_rng(self.seed if seed is None else seed))
        return np.stack([_answer(agent, observation) for observation in case.observations])

    def draws(self, case: Case) -> bool:
        """Whether the agent's actions depend on its generator."""
        return _differ(self.moves(case), self.moves(case, seed=self.seed + 1))


def check_agent(agent: str | Agent | Callable[[], Agent], *, games: Sequence[str] = GAMES, seed: int = 0) -> None:
    """Check that an agent keeps to the `Agent` protocol in every seat of some games.

    Args:
        agent: a name that `make_agent` knows, an agent, or an agent class or other function that makes one.
        games: ids of games with two and with more agents.
        seed: of the recorded play that the agent watches, and of its generator.

    Raises:
        ConformanceError: a promise is broken; the message names the check, the seat and the change that is needed.

    >>> class Greedy:
    ...     def begin(self, seat, episodes, rng):
    ...         self.units = seat.endowment
    ...     def act(self, observation):
    ...         return [self.units] * len(observation)
    >>> check_agent(Greedy)
    Traceback (most recent call last):
        ...
    coopgym.testing.conformance.ConformanceError: Greedy: its actions are playable: in seat 0 of PartnerHoldUp-v1 ...
    """
    name, make = _named(agent)
    with recognisable_interrupts():
        run_checks(name, CHECKS, Subject(make, tuple(games), seed), lambda error: _located(make, error))


def _named(agent: Any) -> tuple[str, Callable[[], Any]]:
    if isinstance(agent, str):
        return agent, lambda: make_agent(agent)
    if not isinstance(agent, type) and (hasattr(agent, "act") or not callable(agent)):
        return type(agent).__name__, lambda: agent
    return getattr(agent, "__name__", type(agent).__name__), agent


def _located(make: Callable[[], Any], error: BaseException) -> str:
    """Name file and line: of what was raised in an agent's own code, otherwise of where its class plays."""
    try:
        place = place_of(error) or home_of(make()) or _act_of(make())
    except BaseException as refusal:  # an agent that cannot be made has said so
        if is_interrupt(refusal):
            raise
        return ""
    return f" ({place})" if place and f"({place})" not in message_of(error) else ""


def _act_of(agent: object) -> str | None:
    """Return ``file:line`` of a shipped agent's ``act``."""
    act = getattr(type(agent), "act", None)
    if not inspect.isfunction(act):
        return None
    code = inspect.unwrap(act).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def it_has_begin_and_act(subject: Subject) -> None:
    """The agent has the two methods of the protocol."""
    agent = subject.make()
    missing = [method for method in ("begin", "act") if not callable(getattr(agent, method, None))]
    require(
        not missing,
        f"no {' and no '.join(missing)}; an agent needs begin(seat, episodes, rng) and act(observation)",
    )


def its_actions_are_playable(subject: Subject) -> None:
    """Actions are shares of the endowment in [0, 1], one per episode."""
    for case in subject.cases:
        for episodes in (1, EPISODES):
            agent = subject.began(case, episodes)
            for observation in case.observations[:, :episodes]:
                _require_playable(str(case), case.seat, agent.act(observation.copy()), episodes)


def its_actions_stay_playable(subject: Subject) -> None:
    """Actions are shares of the endowment in [0, 1] until the horizon."""
    for case in subject.whole_episodes():
        agent = subject.began(case)
        for step, observation in enumerate(case.observations):
            _require_playable(f"{case}, at step {step},", case.seat, agent.act(observation.copy()), EPISODES)


def _require_playable(where: str, seat: Seat, answer: Any, episodes: int) -> None:
    try:
        playable_shares(answer, episodes, seat.endowment)
    except ValueError as error:
        require(False, f"{where} act() {error}")


def it_leaves_observations_alone(subject: Subject) -> None:
    """Observations are read, not written, from the first step to the last."""
    for case in (*subject.cases, *subject.whole_episodes()):
        agent = subject.began(case)
        for step, observation in enumerate(case.observations):
            shown = observation.copy()
            agent.act(shown)
            if (shown == observation).all():
                continue
            _name_the_line_that_writes(subject, case)
            require(False, f"{case}, at step {step}, {WRITES}")


def _name_the_line_that_writes(subject: Subject, case: Case) -> None:
    """Show a case in arrays that cannot be written into: what is raised then stands in the line that writes.

    Raises:
        ConformanceError: the agent tries; it is chained to what was raised.
    """
    agent = subject.began(case)
    for step, observation in enumerate(case.observations):
        shown = observation.copy()
        shown.flags.writeable = False
        try:
            agent.act(shown)
        except ValueError as error:
            raise ConformanceError(f"{case}, at step {step}, {WRITES}") from error


def it_leaves_the_global_random_state_alone(subject: Subject) -> None:
    """Nothing is drawn from NumPy's or Python's global generator."""
    for case in subject.cases:
        before = _global_random_state()
        subject.moves(case)
        require(
            _global_random_state() == before,
            f"{case} it draws from a global random state; draw from the generator that begin() receives",
        )


def it_repeats_itself_under_the_same_generator(subject: Subject) -> None:
    """Equal generators and observations give equal actions."""
    for case in subject.cases:
        require(
            not _differ(subject.moves(case), subject.moves(case)),
            f"{case} equal generators give different actions; take all randomness from the generator that begin() "
            "receives, and forget earlier episodes there",
        )


def begin_forgets_the_past(subject: Subject) -> None:
    """An agent that begins again plays like a new one."""
    for case in subject.cases:
        agent = subject.make()
        first, again = subject.moves(case, agent), subject.moves(case, agent)
        require(
            not _differ(first, again),
            f"{case} the same episode is played differently the second time; begin() must set up all memory afresh",
        )


def it_sees_what_it_is_shown_and_no_more(subject: Subject) -> None:
    """The memory around an observation, which may hold those of other seats, is neither written nor read."""
    for case in subject.cases:
        among_zeros, among_ones = (_moves_amid(subject, case, filling) for filling in (0.0, 1.0))
        require(
            not _differ(among_zeros, among_ones),
            f"{case} actions depend on the memory around the observation (observation.base); use what is shown only",
        )


def _moves_amid(subject: Subject, case: Case, filling: float) -> FloatArray:
    """Show every observation as the middle seat's part of a larger array and see that the others' stay as they are."""
    agent, moves = subject.began(case), []
    for observation in case.observations:
        everybody = np.full((len(observation), 3, observation.shape[1]), filling)
        everybody[:, 1] = observation
        moves.append(np.array(agent.act(everybody[:, 1]), dtype=np.float64))
        require(
            (everybody[:, [0, 2]] == filling).all(),
            f"{case} act() writes into the memory around the observation (observation.base), where other seats "
            "may have theirs; work on a copy",
        )
    return np.stack(moves)


def episodes_do_not_mix(subject: Subject) -> None:
    """An episode is played the same alone and beside others, unless the agent draws at random."""
    for case in subject.cases:
        if subject.draws(case):
            continue
        together = subject.moves(case)
        for row in range(EPISODES):
            alone = subject.moves(Case(case.seat, case.observations[:, [row]]))
            require(
                not _differ(alone, together[:, [row]]),
                f"{case} an episode is played differently beside others; keep memory per row of the observation",
            )


def restart_is_a_fresh_begin_for_its_rows(subject: Subject) -> None:
    """Where there is a restart(rows), these rows begin again and the others go on."""
    if not hasattr(subject.make(), "restart"):
        return
    for case in subject.cases:
        if subject.draws(case):
            continue
        rows = np.arange(EPISODES) % 2 == 0
        undisturbed, restarted = subject.moves(case), _moves_with_restart(subject, case, rows)
        require(
            not _differ(undisturbed[:, ~rows], restarted[:, ~rows]),
            f"{case} restart(rows) changes episodes that go on; touch only the rows where the mask holds",
        )
        fresh = undisturbed[: STEPS - RESTART_AFTER, rows]
        require(
            not _differ(fresh, restarted[RESTART_AFTER:, rows]),
            f"{case} restart(rows) is no fresh start; reset all memory of the rows in the mask, as begin() does",
        )


def _moves_with_restart(subject: Subject, case: Case, rows: npt.NDArray[np.bool_]) -> FloatArray:
    """Play a case in which some rows start again from its beginning after `RESTART_AFTER` steps."""
    observations = case.observations.copy()
    observations[RESTART_AFTER:, rows] = case.observations[: STEPS - RESTART_AFTER, rows]
    agent = subject.make()
    agent.begin(case.seat, EPISODES, np.random.default_rng(subject.seed))
    moves = []
    for step, observation in enumerate(observations):
        if step == RESTART_AFTER:
            agent.restart(rows.copy())
        moves.append(_answer(agent, observation))
    return np.stack(moves)


def _answer(agent: Any, observation: FloatArray) -> FloatArray:
    """An answer as an array of its own, whatever the agent does to its buffer later."""
    return np.array(agent.act(observation.copy()), dtype=np.float64)


def _differ(one: FloatArray, other: FloatArray) -> bool:
    return bool(np.abs(one - other).max(initial=0.0) > SAME)


def _global_random_state() -> tuple[object, ...]:
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002  # this is the state that agents must not use
    return random.getstate(), kind, bytes(np.asarray(keys)), *rest


def _recorded(id: str, view: View, seed: int, steps: int | None) -> Iterator[Case]:
    game = make_game(id)
    tape = random_tape(game, steps or game.spec.horizon, (EPISODES,), seed)
    seen = np.stack([game.observe(before, view) for before, _, _ in replay(game, tape)])
    for i in range(game.n_agents):
        yield Case(Seat.of(game, i, view, "integrated"), seen[:, :, i])


CHECKS = (
    it_has_begin_and_act,
    its_actions_are_playable,
    its_actions_stay_playable,
    it_leaves_observations_alone,
    it_leaves_the_global_random_state_alone,
    it_repeats_itself_under_the_same_generator,
    begin_forgets_the_past,
    it_sees_what_it_is_shown_and_no_more,
    episodes_do_not_mix,
    restart_is_a_fresh_begin_for_its_rows,
)
"""The battery, in order."""
