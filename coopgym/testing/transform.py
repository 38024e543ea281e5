"""Checks that a reward transform keeps the promises of `coopgym.rewards.RewardTransform`."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from coopgym.backend import Array, torch_backend
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.step import Step
from coopgym.rewards import MODES, ObservedStep, RewardTransform
from coopgym.rewards.transforms import LearnedTransform, RunningTransform, TransformInput, parse_transform
from coopgym.testing.conformance import ConformanceError, require, run_checks
from coopgym.testing.tape import Tape, random_tape, replay, to_numpy
from coopgym.typing import FloatArray

Doctor = Callable[[TransformInput, Array], tuple[TransformInput, Array]]
"""Changes what a transform is handed: the step and the reward."""

GAMES = ("TrustDilemma-v1", "AppleAppStore-v1", "PartnerHoldUp-v0")
"""Two and three seats, both editions, an episode that may break up early."""
NEEDS = frozenset({"state", "observation"})
FLAGS = ("potential_based", "causal", "bounded_sum", "per_agent", "learned")
SHORT, LONG = 12, 48
"""Steps of the episodes that are played."""
TOLERANCE = 1e-9
SINGLE = 1e-5
"""How far two backends may differ, relative above one: the released edition computes in single precision."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A transform under test and where it is tried."""

    transform: RewardTransform
    ids: Sequence[str]
    seed: int

    def games(self, steps: int = SHORT) -> Iterator[AnyGame]:
        """The games, with episodes of so many steps."""
        for id in self.ids:
            yield make_game(id, max_steps=steps)

    def tape(self, game: AnyGame, batch: tuple[int, ...] = (3,)) -> Tape:
        """Random play of whole episodes that start alike."""
        drawn = random_tape(game, game.spec.horizon, batch, self.seed)
        same = {name: np.zeros_like(getattr(drawn, name)) + 0.5 for name in ("uniforms", "normals")}
        return dataclasses.replace(drawn, **same)


def check_transform(transform: str | RewardTransform, *, games: Sequence[str] = GAMES, seed: int = 0) -> None:
    """Check that a transform is what it declares, keeps its episodes apart and has a name that reads back.

    Args:
        transform: a transform, or the text of one, such as ``"shaping(trust)"``.
        games: ids of the games that it is tried in.
        seed: of the random play.

    Raises:
        ConformanceError: a promise is broken; the message names the check and the change that is needed.
        ValueError: a text that is not one of a known transform.

    >>> check_transform("shaping(trust)", games=("TrustDilemma-v1",))
    """
    declared = parse_transform(transform) if isinstance(transform, str) else transform
    run_checks(type(declared).__name__, CHECKS, Subject(declared, tuple(games), seed))


def played(
    game: AnyGame, tape: Tape, transform: RewardTransform, doctor: Doctor | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return what a transform makes of the integrated rewards of a play, and what it adds, both ``(T, ..., N)``.

    What corrections add belongs to the steps that they correct. After an episode's end everything is 0.
    """
    running = transform.running(game, tape.batch)
    running.reset()
    return _played(game, tape, transform, running, doctor)


def _played(
    game: AnyGame, tape: Tape, transform: RewardTransform, running: RunningTransform, doctor: Doctor | None = None
) -> tuple[FloatArray, FloatArray]:
    given, made = list[FloatArray](), list[FloatArray]()
    alive = np.ones(tape.batch, dtype=bool)
    for t, (before, actions, transition) in enumerate(replay(game, tape)):
        step = Step(game, t, before, actions, transition)
        view: TransformInput = step if "state" in transform.needs else ObservedStep.of(step)
        reward = MODES["integrated"](step)
        if doctor is not None:
            view, reward = doctor(view, reward)
        going_on = alive & ~to_numpy(step.ended).astype(bool)
        given.append(to_numpy(reward) * alive[..., None])
        made.append(to_numpy(_called(running, view, reward)) * alive[..., None])
        owed = running.end(game.xp.asarray(going_on))
        for earlier, correction in zip(reversed(made), () if owed is None else reversed(list(owed)), strict=False):
            earlier += to_numpy(correction) * alive[..., None]
        alive = going_on
    return np.array(made), np.array(made) - np.array(given)


def _called(running: RunningTransform, view: TransformInput, reward: Array) -> Array:
    try:
        made, expected = running(view, reward), tuple(reward.shape)
        require(tuple(made.shape) == expected, f"it makes rewards of shape {tuple(made.shape)} of {expected}; keep it")
        return made
    except AttributeError as error:
        if isinstance(view, ObservedStep) and isinstance(error.obj, ObservedStep):
            raise ConformanceError(
                f"it reads step.{error.name}, which agents do not observe; declare needs = frozenset({{'state'}})"
            ) from error
        raise


def flags_are_declared(subject: Subject) -> None:
    """Every flag is true or false, the version a number, and only what is known is needed."""
    transform = subject.transform
    for name in FLAGS:
        value = getattr(transform, name)
        require(isinstance(value, bool), f"{name}={value!r}; declare True or False")
    require(isinstance(transform.version, int), f"version={transform.version!r}; declare a whole number")
    unknown = sorted(transform.needs - NEEDS)
    require(not unknown, f"needs {unknown}; it may need {', '.join(sorted(NEEDS))}")
    game = next(subject.games())
    fits = isinstance(transform.running(game, ()), LearnedTransform)
    require(fits or not transform.learned, "learned=True, but running() returns no LearnedTransform; derive from it")
    require(transform.learned or not fits, "running() returns a LearnedTransform; declare learned = True")


def it_can_be_a_key(subject: Subject) -> None:
    """Equal transforms are equal and hash alike, in other processes too, and running one does not change it."""
    transform = subject.transform
    try:
        before, twin = hash(transform), pickle.loads(pickle.dumps(transform))
    except TypeError as error:
        raise ConformanceError(f"{error}; declare it as @dataclass(frozen=True) with hashable settings") from error
    require(twin == transform and hash(twin) == before, "a copy of it is another one; use @dataclass(frozen=True)")
    for game in subject.games():
        played(game, subject.tape(game), transform)
    same = twin == transform and vars(twin) == vars(transform)
    require(same, "it remembers what it has seen; remember in what running() returns")


def its_name_reads_back(subject: Subject) -> None:
    """The text of a transform stands for an equal one."""
    transform = subject.transform
    try:
        read = parse_transform(transform.name)
    except ValueError as error:
        raise ConformanceError(f"its name does not parse: {error}; decorate it with @register_transform") from error
    require(read == transform, f"its name {transform.name!r} reads back as {read!r}; name all that differs")


def rewards_are_numbers(subject: Subject) -> None:
    """Rewards are finite in a batch of any shape, and those that were given stay as they are."""
    for game in subject.games():
        for batch in ((), (3,), (2, 3)):
            kept: list[tuple[Array, FloatArray]] = []

            def remember(
                view: TransformInput, reward: Array, kept: list[tuple[Array, FloatArray]] = kept
            ) -> tuple[TransformInput, Array]:
                kept.append((reward, to_numpy(reward)))
                return view, reward

            made, _ = played(game, subject.tape(game, batch), subject.transform, remember)
            require(np.isfinite(made).all(), f"some rewards of {game.id} are not finite numbers")
            changed = any((to_numpy(array) != copy).any() for array, copy in kept)
            require(not changed, "it changes the rewards it is given; return a new array")


def episodes_are_apart(subject: Subject) -> None:
    """Each row of a batch is rewarded as an episode of its own, and a second play as the first."""
    for game in subject.games():
        tape = subject.tape(game)
        together, _ = played(game, tape, subject.transform)
        for row in range(len(together[0])):
            alone, _ = played(game, tape.rows(row), subject.transform)
            require(
                np.allclose(together[:, row], alone, rtol=TOLERANCE, atol=TOLERANCE),
                f"{game.id}: an episode is rewarded differently beside others; keep rows of a batch apart",
            )
        again, _ = played(game, tape, subject.transform)
        require((again == together).all(), "the same play is rewarded differently again; draw no random numbers")


def a_reset_forgets(subject: Subject) -> None:
    """Rows that start anew are rewarded as at first, and the others as if nothing had happened."""
    transform, first_row = subject.transform, np.array([True, False])
    for game in subject.games():
        tape = subject.tape(game, (2,))
        begun = [transform.running(game, (2,)) for _ in range(2)]
        for running in begun:
            running.reset()
        (first, _), _ = (_played(game, tape, transform, running) for running in begun)
        begun[0].reset(first_row)
        (anew, _), (on, _) = (_played(game, tape, transform, running) for running in begun)
        require((anew[:, 0] == first[:, 0]).all(), f"{game.id}: reset() remembers rows that start anew; forget them")
        require((anew[:, 1] == on[:, 1]).all(), f"{game.id}: reset() touches rows that go on; leave them be")


def replicas_learn_apart(subject: Subject) -> None:
    """A replica that learns beside others pays afterwards as one that learns alone."""
    if not subject.transform.learned:
        return
    for game in subject.games():
        tape = subject.tape(game, (2, 3))
        together = _learned(game, tape, subject.transform)
        for replica in range(2):
            alone = _learned(game, tape.rows(slice(replica, replica + 1)), subject.transform)
            require(
                np.allclose(together[:, replica], alone[:, 0], rtol=SINGLE, atol=SINGLE),
                f"{game.id}: a replica learns something else beside others; learn from the replica's own rows",
            )


def _learned(game: AnyGame, tape: Tape, transform: RewardTransform) -> FloatArray:
    """Return what a transform makes of a play after it has learned from it."""
    running = transform.running(game, tape.batch)
    running.reset()
    _played(game, tape, transform, running)
    if isinstance(running, LearnedTransform):
        running.fit()
    running.reset()
    made, _ = _played(game, tape, transform, running)
    return made


def a_state_goes_on(subject: Subject) -> None:
    """One that continues from the state of another pays as the other would have."""
    for game in subject.games():
        tape = subject.tape(game, (2, 3))
        first, second = (subject.transform.running(game, tape.batch) for _ in range(2))
        first.reset()
        _played(game, tape, subject.transform, first)
        if isinstance(first, LearnedTransform):
            first.fit()
        second.reset()
        second.restore(copy.deepcopy(first.state()))
        on, resumed = (_played(game, tape, subject.transform, running)[0] for running in (first, second))
        require((on == resumed).all(), f"{game.id}: it goes on otherwise from its state(); keep all it remembers there")


def backends_agree(subject: Subject) -> None:
    """NumPy and torch give the same rewards."""
    if find_spec("torch") is None:
        return
    import torch

    for game in subject.games():
        tape = subject.tape(game)
        expected, _ = played(game, tape, subject.transform)
        found, _ = played(game.to(torch_backend("cpu", torch.float64)), tape, subject.transform)
        gap = (np.abs(found - expected) / np.maximum(1.0, np.abs(expected))).max()
        require(gap <= SINGLE, f"{game.id}: torch differs from NumPy by {gap:.3g}; compute in game.xp, keep the type")


def causal_rewards_do_not_peek(subject: Subject) -> None:
    """Rewards so far stay as they are, whatever comes."""
    if not subject.transform.causal:
        return
    for game in subject.games():
        tape, half = subject.tape(game), game.spec.horizon // 2
        other = dataclasses.replace(tape, actions=tape.actions.copy())
        other.actions[half:] = other.actions[half:][::-1, ::-1]
        (one, _), (two, _) = (played(game, each, subject.transform) for each in (tape, other))
        require(
            (one[:half] == two[:half]).all(),
            f"{game.id}: another future changes earlier rewards; declare causal = False, or correct the last one only",
        )


def each_agent_is_on_its_own(subject: Subject) -> None:
    """What other seats observe and earn does not move an agent's reward."""
    if not subject.transform.per_agent:
        return
    for game in subject.games():
        tape = subject.tape(game)
        expected, _ = played(game, tape, subject.transform)
        for seat in range(game.n_agents):
            others = [other for other in range(game.n_agents) if other != seat]
            found, _ = played(game, tape, subject.transform, _another(seat))
            require(
                (found[..., others] == expected[..., others]).all(),
                f"{game.id}: what agent_{seat} earns or observes moves the rewards of others; "
                "declare per_agent = False, or use each agent's own row",
            )


def _another(seat: int) -> Doctor:
    """Show and pay one seat something else."""

    def doctor(view: TransformInput, reward: Array) -> tuple[TransformInput, Array]:
        changed = reward + 0.0
        changed[..., seat] = 3.0 - 2.0 * changed[..., seat]
        if isinstance(view, ObservedStep):
            seen = {name: getattr(view, name) + 0.0 for name in ("before", "after")}
            for array in seen.values():
                array[..., seat, :] = 0.75 - 0.5 * array[..., seat, :]
            return dataclasses.replace(view, **seen), changed
        return view, changed

    return doctor


def potentials_telescope(subject: Subject) -> None:
    """What is added to an episode comes to the same, discounted, however it is played from the same start."""
    if not subject.transform.potential_based:
        return
    for game in subject.games():
        sums = _discounted(subject, game, subject.tape(game, (8,)))
        gap = np.ptp(sums, axis=0).max()
        require(
            gap <= TOLERANCE * max(1.0, np.abs(sums).max()),
            f"{game.id}: discounted by gamma={subject.transform.gamma:g}, it adds sums to episodes from one start that "
            f"differ by {gap:.3g}; add γ Φ(s') - Φ(s) with Φ = 0 at the end, or declare potential_based = False",
        )


def sums_are_bounded(subject: Subject) -> None:
    """What is added to an episode does not grow with its length."""
    if not subject.transform.bounded_sum:
        return
    most = {}
    for steps in (SHORT, LONG):
        for game in subject.games(steps):
            tape = subject.tape(game, (6,))
            for row, period in enumerate((1, 2, 4)):
                up = (np.arange(steps) // period % 2)[:, None]
                tape.actions[:, row] = up * game.spec.endowments
            most[game.id, steps] = np.abs(_discounted(subject, game, tape)).max()
    for game in subject.games():
        short, long = most[game.id, SHORT], most[game.id, LONG]
        require(
            long <= 2.0 * short + TOLERANCE,
            f"{game.id}: it adds up to {short:.3g} in {SHORT} steps and {long:.3g} in {LONG}, so that longer episodes "
            "can farm it; declare bounded_sum = False",
        )


def _discounted(subject: Subject, game: AnyGame, tape: Tape) -> FloatArray:
    """Discounted sums ``(..., N)`` of what is added."""
    _, added = played(game, tape, subject.transform)
    discounts = subject.transform.gamma ** np.arange(len(added))
    return np.tensordot(discounts, added, axes=1)


CHECKS = (
    flags_are_declared,
    its_name_reads_back,
    it_can_be_a_key,
    rewards_are_numbers,
    causal_rewards_do_not_peek,
    episodes_are_apart,
    a_reset_forgets,
    replicas_learn_apart,
    a_state_goes_on,
    backends_agree,
    each_agent_is_on_its_own,
    potentials_telescope,
    sums_are_bounded,
)
"""What is checked, in this order."""
