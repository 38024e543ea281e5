"""Play a scenario: a focal agent among others, and what the two sides got."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coopgym.agents import make_agent
from coopgym.agents.base import Agent
from coopgym.benchmarks.execute.corpus_rows import Recorded, behaviour_of, turns_of
from coopgym.benchmarks.execute.policy_store import LostAgentsError, copies
from coopgym.benchmarks.metrics import averaged, evaluation_metrics, focal_metrics
from coopgym.benchmarks.study import Meeting, Player, RunSpec
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.step import Step
from coopgym.oracles.agents import Oracle
from coopgym.play.episodes import Episodes, play

if TYPE_CHECKING:
    from coopgym.benchmarks.study.grouping import Supply


@dataclass(frozen=True)
class _SeatAssignment:
    """One way of taking seats, and how many like it there are."""

    focal: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class ScenarioRun:
    """What became of a scenario."""

    columns: dict[str, Any]
    """Evaluation columns, means over the ways of taking seats."""
    turns: list[dict[str, Any]]
    """What was said, one way of taking seats after the other."""
    recorded: list[Recorded]
    """What was done, likewise, if the run asks for it."""


def evaluation_episodes(
    spec: RunSpec, game: AnyGame, agents: Sequence[Agent], watch: Callable[[Step], object] | None = None
) -> Episodes:
    """Play the episodes that a run asks for, every step of them being told to whoever watches."""
    for oracle in {type(agent): agent for agent in agents if isinstance(agent, Oracle)}.values():
        oracle.foresee(game, range(spec.evaluation_seed, spec.evaluation_seed + spec.episodes))
    return play(
        game,
        agents,
        reward=spec.reward,
        views=spec.view,
        episodes=spec.episodes,
        seed=spec.evaluation_seed,
        record=spec.record_steps,
        watch=watch,
    )


def meet(spec: RunSpec, policies: Supply) -> ScenarioRun:
    """Play a run's scenario.

    A focal agent that takes every seat in turn takes one seat of each group of exchangeable ones; the group's size is
    its weight.

    Args:
        spec: a run with a meeting.
        policies: agents by the run that trained them, or why they cannot be had.

    Raises:
        LostAgentsError: the policies of a learner cannot be had.
    """
    meeting = spec.meeting
    assert meeting is not None, "only scenarios are played here"
    game = make_game(spec.game, **spec.parameters)
    assignments = list(_seat_assignments(meeting, game))
    rows: list[dict[str, Any]] = []
    turns: list[dict[str, Any]] = []
    recorded: list[Recorded] = []
    for number, assignment in enumerate(assignments):
        players = [_player(meeting, assignment, seat, game.n_agents) for seat in range(game.n_agents)]
        agents = [seated(player, seat, policies) for seat, player in enumerate(players)]
        episodes = evaluation_episodes(spec, game, agents)
        first = number * spec.episodes
        rows.append(evaluation_metrics(episodes, spec.reward) | focal_metrics(episodes, spec.reward, assignment.focal))
        turns += turns_of(agents, episodes.lengths, first_episode=first)
        if episodes.trajectory:
            recorded.append(Recorded(episodes.trajectory, [behaviour_of(player) for player in players], first))
    return ScenarioRun(averaged(rows, [assignment.weight for assignment in assignments]), turns, recorded)


def _seat_assignments(meeting: Meeting, game: AnyGame) -> Iterator[_SeatAssignment]:
    if meeting.focal_seats:
        yield _SeatAssignment(meeting.focal_seats, 1.0)
        return
    for group in game.traits().exchangeable:
        yield _SeatAssignment(group[:1], len(group) / game.n_agents)


def _player(meeting: Meeting, assignment: _SeatAssignment, seat: int, seats: int) -> Player:
    if seat in assignment.focal:
        return meeting.focal
    others = [other for other in range(seats) if other not in assignment.focal]
    return meeting.background[0] if len(meeting.background) == 1 else meeting.background[others.index(seat)]


def seated(player: Player, seat: int, policies: Supply) -> Agent:
    """Return a fresh agent for a seat.

    Args:
        player: who plays.
        seat: where; a learner has a policy for each.
        policies: agents by the run that trained them, or why they cannot be had.

    Raises:
        LostAgentsError: the policies of a learner cannot be had.
    """
    if not player.trained_by:
        return make_agent(player.name)
    found = policies.get(player.trained_by.run_id, f"{player.name} was not supplied to this job")
    if isinstance(found, str):
        raise LostAgentsError(found)
    return _fresh(found, seat)


def _fresh(agents: Sequence[Any], seat: int) -> Agent:
    """Return a fresh agent with the policy of one seat: seats may share nothing, not even between assignments."""
    return copies([agents[seat]])()[0]
