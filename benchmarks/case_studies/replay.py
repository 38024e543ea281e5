"""Replay a history in its registered game: coded levels become actions, and the game says what they do to trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, TypeAlias, cast

import numpy as np

from coopgym.benchmarks.case_studies.case_file import CaseFile, Phase, load_case
from coopgym.benchmarks.case_studies.interdependence.engine import DyadParameters, play
from coopgym.benchmarks.case_studies.reciprocity.engine import Answering, PlatformParameters
from coopgym.benchmarks.case_studies.team.engine import symmetric_effort
from coopgym.games.game import AnyGame, ResetOptions
from coopgym.games.registry import make_game
from coopgym.games.state import State
from coopgym.mechanisms.team_model import TeamModel
from coopgym.play import NOMINAL, Policy, unroll
from coopgym.rewards import reward_layer
from coopgym.typing import FloatArray

GameEdition = Literal["v0", "v1"]
HISTORY = "history"
"""The script of what happened."""
EQUILIBRIUM, RECURSION, SYMMETRIC = "coopetitive equilibrium", "recursion", "symmetric equilibrium"
"""Scripts that the formula track computes: what firms invest together, how platform and developers answer, and what
equal members of a team do who are as loyal as the game's are on average."""

PhasePolicy: TypeAlias = Callable[[Phase, AnyGame], Policy]
"""The joint actions of a phase, given its game."""


@dataclass(frozen=True)
class PhaseReplay:
    """What a phase of the history does in the game."""

    name: str
    start: str
    end: str
    steps: int
    levels: tuple[int, ...]
    actions: FloatArray
    """``(N,)`` mean, endowment units."""
    signals: FloatArray
    """``(N,)`` mean of those that the actions send."""
    preset_trust: float
    """Mean trust at which the game itself begins the phase."""
    preset_damage: float
    before: tuple[float, float]
    """Mean trust and mean damage when it begins."""
    after: tuple[float, float]
    """Mean trust and mean damage when it ends."""
    trust: FloatArray
    """``(N, N)`` when it ends."""
    rewards: FloatArray
    """``(N,)`` integrated rewards, mean per step."""
    loyalty: float | None
    """Mean when it ends, where the game has any."""


@dataclass(frozen=True)
class Replay:
    """A history, or an alternative to it, played in one edition of its game."""

    case: str
    game: str
    script: str
    seats: tuple[str, ...]
    phases: tuple[PhaseReplay, ...]
    trust: tuple[FloatArray, ...]
    """``(N, N)`` at the beginning and after every step."""
    damage: tuple[FloatArray, ...]
    shares: tuple[FloatArray, ...]
    """``(N,)`` of endowment, step by step."""

    @property
    def mean_trust(self) -> FloatArray:
        """Mean trust in each other at the beginning and after every step, ``(steps + 1,)``."""
        return np.array([off_diagonal_mean(trust) for trust in self.trust])

    @property
    def mean_share(self) -> FloatArray:
        """Mean share of endowment, step by step, ``(steps,)``."""
        return np.array([shares.mean() for shares in self.shares])

    def record(self) -> dict[str, Any]:
        """Return the phases as JSON has them."""
        phases = [
            {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(phase).items()}
            for phase in self.phases
        ]
        return {"case": self.case, "game": self.game, "script": self.script, "seats": self.seats, "phases": phases}


def coded_action(game: AnyGame, levels: tuple[int, ...]) -> FloatArray:
    """Return what levels mean in a game, clip(b (1 + L/2), 0, e) ``(N,)``, endowment units.

    >>> coded_action(make_game("SLCD-v1"), (2, -1))
    array([60., 15.])
    """
    coded = game.spec.baselines * (1.0 + np.array(levels) / 2.0)
    return np.clip(coded, 0.0, game.spec.endowments)


def off_diagonal_mean(matrix: FloatArray) -> float:
    """Mean of a matrix ``(N, N)`` without its diagonal.

    >>> off_diagonal_mean(np.array([[1.0, 0.2], [0.4, 1.0]]))
    0.30000000000000004
    """
    return float(matrix[~np.eye(len(matrix), dtype=bool)].mean())


def replay(name: str, edition: GameEdition = "v1", script: str = HISTORY) -> Replay:
    """Play the coded history of a case in its registered game, or something else instead.

    Phases that the game has presets for are episodes of their own; trust and damage go from one into the next where the
    same seats go on. Efforts that a case codes in units are played as they stand.

    Args:
        name: of the case.
        edition: of the game.
        script: one of `scripts`.

    Raises:
        CaseFileError: there is no such case.
        ValueError: there is no such script.

    >>> happened, instead = replay("slcd"), replay("slcd", script="without divergence")
    >>> [round(phase.after[0], 2) for phase in happened.phases], round(instead.phases[-1].after[0], 2)
    ([0.68, 0.79, 0.84, 0.64, 0.34], 0.88)
    """
    case = load_case(name)
    if script not in scripts(case):
        raise ValueError(f"{case.title}: no script {script!r}; it has {', '.join(scripts(case))}")
    if script == EQUILIBRIUM:
        together = play(DyadParameters(**case.parameters).dyad("logarithmic")).together.actions
        return _replayed(name, case, edition, script, lambda phase, game: lambda t, state: together)
    if script == RECURSION:
        answering = Answering(PlatformParameters(**case.parameters), _game(case, edition, case.phases[0]))
        return _replayed(name, case, edition, script, lambda phase, game: answering)
    if script == SYMMETRIC:
        return _replayed(name, case, edition, script, lambda phase, game: _among_equals(_game(case, "v0", phase)))
    return _replayed(name, case, edition, script, _coded(case, _levels(case)[script]))


def scripts(case: CaseFile) -> tuple[str, ...]:
    """Return the names of the scripts of a case.

    >>> scripts(load_case("slcd"))
    ('history', 'without divergence', 'coopetitive equilibrium')
    """
    computed = {"interdependence": (EQUILIBRIUM,), "reciprocity": (RECURSION,), "team": (SYMMETRIC,)}
    return (*_levels(case), *computed.get(case.mechanism, ()))


class _ReportsATeam(Protocol):
    """What the released game has and the formal one lacks."""

    team: TeamModel


def _among_equals(released: AnyGame) -> Policy:
    """Equilibria of the team that the released game reports, which the formal one has no counterpart of."""
    team = cast("_ReportsATeam", released).team

    def policy(t: int, state: State) -> FloatArray:
        loyalty = _loyalty(state)
        return np.full(team.n_agents, symmetric_effort(team, 0.0 if loyalty is None else loyalty))

    return policy


def _coded(case: CaseFile, levels: tuple[tuple[int, ...], ...]) -> PhasePolicy:
    coded = dict(zip((phase.name for phase in case.phases), levels, strict=True))

    def policy(phase: Phase, game: AnyGame) -> Policy:
        action = coded_action(game, coded[phase.name]) if phase.effort is None else np.full(game.n_agents, phase.effort)
        return lambda t, state: action

    return policy


def _replayed(name: str, case: CaseFile, edition: GameEdition, script: str, policy: PhasePolicy) -> Replay:
    played: list[PhaseReplay] = []
    trust: list[FloatArray] = []
    damage: list[FloatArray] = []
    shares: list[FloatArray] = []
    levels = _levels(case).get(script, ((),) * len(case.phases))
    state: State | None = None
    for phase, coded in zip(case.phases, levels, strict=True):
        game = _game(case, edition, phase)
        own = game.initial_state()
        state = own if state is None or len(state.trust) != game.n_agents else _handed_over(game, phase, state)
        before = state
        if not trust:
            trust.append(before.trust)
            damage.append(before.damage)
        rewards, signals, actions = [], [], []
        for step in unroll(
            game,
            policy(phase, game),
            start=state,
            draws=NOMINAL,
            rewards=reward_layer("integrated"),
            horizon=phase.steps,
            past_end=True,
        ):
            sent = game.signals_sent(step.before, step.actions)
            rewards.append(step.rewards)
            signals.append(np.full(game.n_agents, np.nan) if sent is None else sent)
            actions.append(step.actions)
            state = step.transition.state
            trust.append(state.trust)
            damage.append(state.damage)
            shares.append(np.asarray(step.actions / game.endowments))
        played.append(
            PhaseReplay(
                name=phase.name,
                start=phase.start,
                end=phase.end,
                steps=phase.steps,
                levels=coded,
                actions=np.mean(actions, axis=0),
                signals=np.mean(signals, axis=0),
                preset_trust=off_diagonal_mean(own.trust),
                preset_damage=off_diagonal_mean(own.damage),
                before=_relation(before),
                after=_relation(state),
                trust=state.trust,
                rewards=np.mean(rewards, axis=0),
                loyalty=_loyalty(state),
            )
        )
    return Replay(
        name, game.spec.id, script, game.spec.roles, tuple(played), tuple(trust), tuple(damage), tuple(shares)
    )


def _levels(case: CaseFile) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Levels of each phase, by the scripts that are coded."""
    alternatives = {alternative.name: alternative.levels for alternative in case.alternatives}
    return {HISTORY: tuple(phase.levels for phase in case.phases), **alternatives}


def _game(case: CaseFile, edition: GameEdition, phase: Phase) -> AnyGame:
    preset: dict[str, Any] = {"phase": phase.preset} if phase.preset else {}
    return make_game(f"{case.game}-{edition}", **preset)


def _handed_over(game: AnyGame, phase: Phase, state: State) -> State:
    """The state in which a phase begins: the same episode goes on, or another one takes over trust and damage."""
    if not phase.preset:
        return state
    return game.initial_state((), ResetOptions(initial_state={"trust": state.trust, "damage": state.damage}))


def _relation(state: State) -> tuple[float, float]:
    return off_diagonal_mean(state.trust), off_diagonal_mean(state.damage)


def _loyalty(state: State) -> float | None:
    loyalty = vars(state).get("loyalty")
    return None if loyalty is None else float(loyalty.mean())
