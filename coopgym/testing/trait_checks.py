"""Checks that a game is what its `traits()` declare: signs, ideal states, symmetry, concavity, switches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State, map_arrays
from coopgym.games.traits import SocialWeights, Traits, ideal_path, renumbered, stocks_of
from coopgym.testing.conformance import require
from coopgym.testing.tape import Tape, random_tape, replay, start
from coopgym.typing import FloatArray

if TYPE_CHECKING:
    from coopgym.testing.game import Subject

ROWS = 8
"""Episodes played side by side."""
STEADY = (0.0, 1.0)
"""Shares that all agents of the first episodes keep up, for what happens only after long good or bad conduct."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A varied play of a game, with noise at its mean."""

    game: AnyGame
    traits: Traits
    tape: Tape
    tolerance: float

    @classmethod
    def of(cls, subject: Subject) -> Trial:
        """Play a subject as long as its other checks do."""
        game = subject.game
        tape = random_tape(game, subject.steps, (ROWS,), subject.seed)
        for row, share in enumerate(STEADY):
            tape.actions[:, row] = share * game.spec.endowments
        tape = replace(tape, step_normals=0.0 * tape.step_normals)
        return cls(game, game.traits(), tape, subject.tolerance)

    @cached_property
    def steps(self) -> list[tuple[State, FloatArray, Transition]]:
        """State before, actions and transition of each step."""
        return list(replay(self.game, self.tape))

    @cached_property
    def ideal(self) -> list[State]:
        """The state of each step on the ideal path from the same start."""
        return ideal_path(self.game, self.traits, self.steps[0][0], len(self.steps))

    def exceeds(self, value: FloatArray, bound: FloatArray) -> bool:
        """Whether any value is above its bound by more than rounding."""
        return bool((value > bound + self.tolerance * np.maximum(1.0, np.abs(bound))).any())


def declared_stocks_exist(subject: Subject) -> None:
    """Traits are about stocks that the state has, in signs of -1, 0 and 1."""
    traits, stocks = subject.game.traits(), stocks_of(subject.game.initial_state((), None, *_draws(subject)))
    for trait in ("monotone_in_actions", "monotone_in_stocks", "ideal_stocks", "hidden"):
        unknown = sorted(set(getattr(traits, trait)) - set(stocks))
        require(not unknown, f"{trait} names {', '.join(unknown)}; the stocks of the state are {', '.join(stocks)}")
    for trait in ("monotone_in_actions", "monotone_in_stocks"):
        for name, sign in getattr(traits, trait).items():
            require(sign in (-1, 0, 1), f"{trait}[{name!r}] is {sign!r}; a sign is -1, 0 or 1")


def stocks_move_as_declared(subject: Subject) -> None:
    """Stocks move in the declared direction when an agent cooperates more."""
    trial = Trial.of(subject)
    for state, actions, transition in trial.steps:
        for seat, endowment in enumerate(trial.game.spec.endowments):
            raised = actions.copy()
            raised[..., seat] = 0.5 * (raised[..., seat] + endowment)
            after = _quiet_step(trial, state, raised)
            for name, sign in trial.traits.monotone_in_actions.items():
                _require_direction(trial, name, sign, seat, getattr(transition.state, name), getattr(after, name))


def _require_direction(trial: Trial, name: str, sign: int, seat: int, now: FloatArray, raised: FloatArray) -> None:
    declared = f"traits() declare monotone_in_actions[{name!r}] = {sign}"
    rises, falls = trial.exceeds(raised, now), trial.exceeds(now, raised)
    right = "declare 1" if not falls else "declare -1" if not rises else "leave it out: it moves both ways"
    moves = "rises" if rises else "falls"
    fits = {1: not falls, -1: not rises, 0: not (rises or falls)}[sign]
    require(fits, f"state.{name} {moves} when agent {seat} plays more, but {declared}; {right}")


def ideal_states_dominate(subject: Subject) -> None:
    """No play leads to a better stock, payoff or social weight than the ideal path has at that step."""
    trial = Trial.of(subject)
    for t, ((state, actions, _), ideal) in enumerate(zip(trial.steps, trial.ideal, strict=True)):
        for name, pays in trial.traits.monotone_in_stocks.items():
            reached, best = getattr(state, name), getattr(ideal, name)
            require(
                pays == 0 or not trial.exceeds(pays * reached, pays * best),
                f"state.{name} gets better in {t} steps than on the ideal path: correct its sign in "
                "monotone_in_actions or monotone_in_stocks, or declare none where its level does not keep it up",
            )
        if trial.traits.dominance is not None:
            _require_dominance(trial, state, ideal, actions)
    if trial.traits.dominance is not None and trial.traits.exchange != "rotation":
        for earlier, later in zip(trial.ideal, trial.ideal[1:], strict=False):
            _require_dominance(trial, earlier, later, trial.tape.actions[0])


def _require_dominance(trial: Trial, state: State, ideal: State, actions: FloatArray) -> None:
    traits, what = trial.traits, trial.traits.dominance
    paid, best = (trial.game.stage(each, actions).payoffs for each in (state, ideal))
    alone = np.full(trial.game.n_agents, -np.inf) if traits.outside_option is None else traits.outside_option
    if what == "welfare":
        paid, best, alone = (values.sum(-1) for values in (paid, best, alone))
    require(
        not trial.exceeds(paid, np.maximum(best, alone)),
        f"a state pays more {'in total' if what == 'welfare' else 'to some seat'} than the ideal one does for the same "
        f"actions, but traits() declare dominance={what!r}; correct ideal_stocks or a sign in monotone_in_stocks, or "
        "leave dominance out",
    )
    shares = actions / trial.game.spec.endowments
    for seats in traits.transfers:
        paid, best = (
            trial.game.stage(each, actions).payoffs - trial.game.own_value(each, shares)  # type: ignore[attr-defined]  # who shares has it
            for each in (state, ideal)
        )
        shared = list(seats)
        require(
            not trial.exceeds(-paid, 0.0 * paid)
            and not trial.exceeds(paid[..., shared].sum(-1), best[..., shared].sum(-1)),
            f"seats {shared} do not share what is largest in an ideal state; correct transfers, or leave them out",
        )


def social_weights_bound_the_integrated_reward(subject: Subject) -> None:
    """Relational utility stays below declared social weights, which are largest in ideal states."""
    trial = Trial.of(subject)
    weigh, spec = trial.traits.social_weights, trial.game.spec
    if weigh is None:
        return
    kept = spec.payoff_scale * spec.endowments / spec.endowments.mean()
    for (state, actions, _), ideal in zip(trial.steps, trial.ideal, strict=True):
        stage, weights, largest = trial.game.stage(state, actions), weigh(state), weigh(ideal)
        for field in fields(SocialWeights):
            require(
                not trial.exceeds(getattr(weights, field.name), getattr(largest, field.name)),
                f"social_weights().{field.name} is larger in some state than in the ideal one; correct the sign in "
                "monotone_in_stocks of the stocks that it depends on",
            )
        require(
            not trial.exceeds(stage.weights.sum(-2), weights.partners),
            "weights on partners exceed social_weights().partners, their sums over the seats that give them",
        )
        bound = weights.loyalty * np.maximum(stage.payoffs - kept, 0.0)
        bound = bound + weights.effort * actions / spec.endowments
        relational = 0.0 * stage.payoffs if stage.relational is None else stage.relational
        require(
            not trial.exceeds(relational.sum(-1), bound.sum(-1)),
            "relational utility adds up to more than social_weights() allow; override social_weights, or declare "
            "social_weights=None where it cannot be bounded so",
        )


def payoffs_are_concave_where_declared(subject: Subject) -> None:
    """In ideal states a mean of two profiles pays at least the mean of what they pay."""
    trial = Trial.of(subject)
    if not trial.traits.concave:
        return
    for ideal, actions in zip(trial.ideal, trial.tape.actions, strict=True):
        other = actions[::-1]
        paid, paid_other, between = (
            trial.game.stage(ideal, each).payoffs for each in (actions, other, 0.5 * (actions + other))
        )
        require(
            not trial.exceeds(0.5 * (paid + paid_other), between),
            "a mean of two profiles pays less than they do on average in an ideal state, but traits() declare "
            "concave=True; leave it out",
        )


def exchangeable_seats_trade_places(subject: Subject) -> None:
    """Exchangeable seats get each other's payoffs when they play each other's actions from each other's start."""
    trial = Trial.of(subject)
    seats = sorted(seat for group in trial.traits.exchangeable for seat in group)
    require(
        seats == list(range(trial.game.n_agents)),
        f"exchangeable={trial.traits.exchangeable} is no partition of the {trial.game.n_agents} seats",
    )
    for order in _orders(trial):
        swapped = replace(trial.tape, actions=trial.tape.actions[..., order])
        first = map_arrays(lambda array, order=order: renumbered(array, order, batch_dims=1), trial.steps[0][0])
        for (_, _, one), (_, _, other) in zip(trial.steps, replay(trial.game, swapped, first), strict=True):
            for name in ("payoffs", "relational"):
                before, after = getattr(one, name), getattr(other, name)
                fits = before is None or not (
                    trial.exceeds(after, before[..., order]) or trial.exceeds(before[..., order], after)
                )
                require(
                    fits,
                    f"{name} do not trade places when seats {np.flatnonzero(order != np.arange(len(order))).tolist()} "
                    f"do, but traits() declare exchange={trial.traits.exchange!r}; declare exchange=None, or as "
                    "exchangeable only seats with the same part",
                )


def _orders(trial: Trial) -> Iterator[npt.NDArray[np.int64]]:
    """Orders of seats ``(N,)`` that should change nothing but who is who."""
    order = np.arange(trial.game.n_agents)
    groups = [list(group) for group in trial.traits.exchangeable]
    if trial.traits.exchange == "rotation":
        for group in groups:
            order[group] = np.roll(group, 1)
        yield order
    if trial.traits.exchange == "swap":
        for i, j in ((group[0], seat) for group in groups for seat in group[1:]):
            swapped = order.copy()
            swapped[[i, j]] = j, i
            yield swapped


def switches_make_games(subject: Subject) -> None:
    """Every switch holds parameters of a game with the same seats."""
    game = subject.game
    for name, parameters in game.traits().switches.items():
        require(
            isinstance(parameters, type(game.parameters)),
            f"switches[{name!r}] is {type(parameters).__name__}; give parameters of the game, {type(game.parameters)}",
        )
        seats = type(game)(parameters).n_agents
        require(seats == game.n_agents, f"switches[{name!r}] makes a game of {seats} seats; keep {game.n_agents}")


def hidden_draws_stay_in_their_range(subject: Subject) -> None:
    """What is drawn at reset lies between the declared ends."""
    trial = Trial.of(subject)
    for name, (low, high) in trial.traits.hidden.items():
        drawn = getattr(trial.steps[0][0], name)
        inside = bool(((drawn >= low) & (drawn <= high)).all())
        require(inside, f"state.{name} is drawn outside [{low:g}, {high:g}]; correct hidden[{name!r}]")


def the_world_is_as_told(subject: Subject) -> None:
    """Factors are drawn and last payoffs are shown as declared; a game that declares no world draws no factors."""
    game, world = subject.game, subject.game.traits().world
    for before, _, transition in replay(game, subject.tape((ROWS,))):
        costs, synergy = before.cost_factor, before.synergy_factor
        if world is None:
            fixed = costs is None and synergy is None
            require(fixed, "the state has factors of costs or synergy; declare world in traits()")
            continue
        require(costs is not None and synergy is not None, "traits() declare a world, but the state has no factors")
        drawn = np.concatenate([costs, synergy[:, None]], axis=1)
        slack = 1.0 + subject.tolerance
        inside = bool(((drawn >= 1.0 / (slack * world.spread)) & (drawn <= slack * world.spread)).all())
        require(inside, f"factors are drawn outside [1/{world.spread:g}, {world.spread:g}]; correct world.spread")
        alike = world.kind.private or bool((costs == costs[:, :1]).all())
        require(alike, f"seats have cost factors of their own; a {world.kind.name} world gives all seats the same")
        share = (transition.payoffs - world.least) / (world.greatest - world.least)
        going_on = ~np.asarray(transition.terminated)
        shown, expected = transition.state.payoff_share[going_on], np.clip(share, 0.0, 1.0)[going_on]
        right = np.allclose(shown, expected, rtol=0.0, atol=subject.tolerance)
        require(right, "payoff_share is not the last payoff between world.least and world.greatest; correct these")


def payoffs_are_as_noisy_as_declared(subject: Subject) -> None:
    """Chance adds to payoffs standard normal numbers times the declared deviation, or nothing."""
    game, noise = subject.game, subject.game.traits().payoff_noise
    tape = subject.tape((ROWS,))
    state, actions, normals = start(game, tape), tape.actions[0], tape.step_normals[0]
    if not game.step_normals:
        require(noise == 0.0, f"traits() declare payoff_noise={noise:g}, but steps draw nothing")
        return
    added = game.step(state, actions, normals).payoffs - game.step(state, actions, 0.0 * normals).payoffs
    distance = np.abs(added[..., None] - noise * normals[:, None, :]).min(-1) if noise else np.abs(added)
    fits = bool((distance <= subject.tolerance * (1.0 + np.abs(added))).all())
    require(fits, f"payoffs are noisy by something else than payoff_noise={noise:g} in traits(); correct it")


def _quiet_step(trial: Trial, state: State, actions: FloatArray) -> State:
    after: State = trial.game.step(state, actions, trial.tape.step_normals[0]).state
    return after


def _draws(subject: Subject) -> tuple[Any, Any]:
    tape = subject.tape()
    return tape.uniforms, tape.normals


TRAIT_CHECKS = (
    declared_stocks_exist,
    stocks_move_as_declared,
    ideal_states_dominate,
    social_weights_bound_the_integrated_reward,
    payoffs_are_concave_where_declared,
    exchangeable_seats_trade_places,
    switches_make_games,
    hidden_draws_stay_in_their_range,
    the_world_is_as_told,
    payoffs_are_as_noisy_as_declared,
)
"""The battery about traits, in order."""
