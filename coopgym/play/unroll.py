"""Play a game step by step, and add up what its steps bring."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from coopgym.backend import Array
from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State, select
from coopgym.games.step import Step
from coopgym.play.draws import NOMINAL, Draws
from coopgym.rewards import Rewards

Policy: TypeAlias = Callable[[int, State], Array]
"""Joint actions ``(..., N)`` in endowment units, within range, at a step and in the state before it."""
Reader: TypeAlias = Callable[[Step], Array]
"""Rewards ``(..., N)`` of a step."""


def unroll(
    game: AnyGame,
    policy: Policy,
    *,
    batch: tuple[int, ...] = (),
    start: State | None = None,
    draws: Draws,
    rewards: Reader | None = None,
    horizon: int | None = None,
    past_end: bool = False,
) -> Iterator[Step]:
    """Play a batch of episodes side by side and yield every step, until all have ended.

    An episode that ends before the others is played on beside them, which costs nothing: `counted` and `Totals` leave
    out what it brings from then on. Differentiable on the torch backend.

    Args:
        game: on any backend.
        policy: the joint actions of every step.
        batch: leading dimensions of episodes that begin with a reset.
        start: states ``(...)`` to begin in instead.
        draws: the chance of the reset and of the steps.
        rewards: what `Step.rewards` holds; None for nothing.
        horizon: steps to play at most; None are all that are left of the game.
        past_end: play that many steps even if every episode has ended before.

    >>> game = coopgym.make_game("TrustDilemma-v1", max_steps=3)
    >>> for step in unroll(game, lambda t, state: state.trust[0, 1] * game.endowments, draws=NOMINAL):
    ...     print(step.t, step.actions.round(1), step.transition.payoffs.round(2))
    0 [50. 50.] [1.75 1.75]
    1 [54. 54.] [1.78 1.78]
    2 [58.3 58.3] [1.81 1.81]
    """
    state = opened(game, draws, batch) if start is None else start
    rows, alive = tuple(state.t.shape), None
    left, together = remaining_steps(game, state), bool((state.t == state.t.min()).all())
    steps = left if horizon is None else horizon if past_end else min(horizon, left)
    ends_apart = game.may_end_early or not together or steps > left
    for t in range(steps):
        step = played(game, t, state, policy(t, state), draws.step(game, t, rows), alive, rewards)
        yield step
        state = step.transition.state
        if ends_apart:
            going_on = ~(step.transition.terminated | step.transition.truncated)
            alive = going_on if alive is None else alive & going_on
            if not past_end and not bool(alive.any()):
                return


def open_loop(game: AnyGame, plan: Sequence[Array] | Array) -> Policy:
    """Return the policy that plays shares of endowment ``(..., N)`` step by step, whatever the state.

    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> plan = np.array([[1.0, 1.0], [0.5, 0.0]])
    >>> open_loop(game, plan)(1, game.initial_state())
    array([50.,  0.])
    """
    return lambda t, _: plan[t] * game.endowments


def state_after(game: AnyGame, plan: Sequence[Array] | Array, start: State) -> State:
    """Return the states that shares of endowment ``(steps, ..., N)``, played from states ``(...)``, lead to.

    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> state_after(game, np.array([[1.0, 0.0]]), game.initial_state()).trust  # each moves by what the other did
    array([[1.        , 0.28081285],
           [0.5727839 , 1.        ]])
    """
    state = start
    for step in unroll(game, open_loop(game, plan), start=start, draws=NOMINAL, horizon=len(plan), past_end=True):
        state = step.transition.state
    return state


def opened(game: AnyGame, draws: Draws, batch: tuple[int, ...] = ()) -> State:
    """Return the states ``(*batch)`` after a reset."""
    state: State = game.initial_state(batch, None, *draws.reset(game, batch))
    return state


def remaining_steps(game: AnyGame, state: State) -> int:
    """Steps between a state and the horizon; of states at several times, those of the first."""
    return game.spec.horizon - int(state.t.min())


def played(
    game: AnyGame,
    t: int,
    before: State,
    actions: Array,
    normals: Array | None,
    alive: Array | None = None,
    rewards: Reader | None = None,
) -> Step:
    """Play one step and reward it: the pure function under the engine and all that is unrolled."""
    step = Step(game, t, before, actions, game.step(before, actions, normals), alive)
    if rewards is not None:
        step.rewards = rewards(step)
    return step


def expected_step(game: AnyGame, state: State, actions: Array) -> Transition:
    """Play one step of actions ``(..., N)``, in endowment units, with payoff noise at its mean.

    >>> game = coopgym.make_game("TrustDilemma-v1", payoff_noise=0.5)
    >>> expected_step(game, game.initial_state(), np.array([0.0, 0.0])).payoffs  # the endowment, one unit each
    array([1., 1.])
    """
    return game.step(state, actions, NOMINAL.step(game, 0, tuple(state.t.shape)))


def counted(step: Step, values: Array) -> Array:
    """Return values ``(..., *own)`` of a step with zeros in the episodes that had ended before it.

    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> step = next(unroll(game, lambda t, _: 0.0 * game.endowments, batch=(2,), draws=NOMINAL))
    >>> step.alive = np.array([True, False])
    >>> counted(step, step.transition.payoffs + np.zeros((2, 2)))
    array([[1., 1.],
           [0., 0.]])
    """
    if step.alive is None:
        return values
    return values * step.alive.reshape((*step.alive.shape, *(1,) * (values.ndim - step.alive.ndim)))


class Totals:
    """Sums over the steps of episodes that run side by side, each until its own end.

    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> totals = Totals.of(unroll(game, lambda t, _: game.endowments, draws=NOMINAL))
    >>> totals.payoffs.round(1), int(totals.lengths), totals.last.trust.round(2).tolist()
    (array([206.8, 206.8]), 100, [[1.0, 1.0], [1.0, 1.0]])
    """

    def __init__(self, layers: Sequence[Rewards] = ()) -> None:
        """Begin at nothing.

        Args:
            layers: rewards to read the same play under.
        """
        self._layers = {layer.name: layer for layer in layers}
        self.rewards: dict[str, Array] = dict.fromkeys(self._layers, 0.0)
        """By the layer's name, undiscounted returns ``(..., N)``."""
        self.payoffs: Array = 0.0
        """``(..., N)`` material payoffs."""
        self.shares: Array = 0.0
        """``(..., N)`` of endowment."""
        self.lengths: Array = 0.0
        """``(...)`` steps."""
        self.terminated: Array = False
        """``(...)`` whether the relation ended before its time."""
        self._last: State | None = None

    @classmethod
    def of(cls, steps: Iterable[Step], layers: Sequence[Rewards] = ()) -> Totals:
        """Return the totals of steps, to the last of them."""
        totals = cls(layers)
        for step in steps:
            totals.add(step)
        return totals

    @property
    def last(self) -> State:
        """The last state of every episode.

        Raises:
            RuntimeError: before the first step.
        """
        if self._last is None:
            raise RuntimeError("no step has been added, so that there is no last state")
        return self._last

    @property
    def welfare(self) -> Array:
        """``(...)`` payoffs of everybody."""
        return self.payoffs.sum(-1)

    def add(self, step: Step) -> None:
        """Take in the next step."""
        game, transition = step.game, step.transition
        self.rewards = {name: self.rewards[name] + counted(step, layer(step)) for name, layer in self._layers.items()}
        self.payoffs = self.payoffs + counted(step, transition.payoffs)
        self.shares = self.shares + counted(step, step.actions / game.endowments)
        self.lengths = self.lengths + counted(step, game.xp.ones_like(transition.payoffs[..., 0]))
        self.terminated = self.terminated | counted(step, transition.terminated)
        after = transition.state
        self._last = (
            after if self._last is None or step.alive is None else select(game.xp, step.alive, after, self._last)
        )
