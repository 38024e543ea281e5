"""Checks that a game keeps the promises of `coopgym.games.game.Game`."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Any

import numpy as np

from coopgym.backend import torch_backend
from coopgym.games.game import AnyGame, Game, ResetOptions
from coopgym.games.page_document import sections, state_names
from coopgym.games.parameters import declaration
from coopgym.games.registry import make_game
from coopgym.games.spec import VIEWS, View
from coopgym.games.state import State, state_arrays
from coopgym.play import unroll
from coopgym.testing.conformance import require, run_checks
from coopgym.testing.tape import (
    Tape,
    first_difference,
    numbers,
    play_numbers,
    random_tape,
    replay,
    start,
    to_numpy,
)
from coopgym.testing.trait_checks import TRAIT_CHECKS

BATCHES: tuple[tuple[int, ...], ...] = ((), (1,), (3,), (2, 3))
BOUND_SLACK = 1e-6
"""How far observations may miss their bounds: the rounding of single precision."""
DIAGNOSTICS = ("mean_trust", "mean_effective_trust", "mean_reputation_damage")
STEP_DIAGNOSTICS = (*DIAGNOSTICS, "payoffs", "welfare")


@dataclass(frozen=True, eq=False)
class Subject:
    """A game under test and how long it is played."""

    game: AnyGame
    seed: int
    steps: int

    @property
    def tolerance(self) -> float:
        """How far two ways of computing the same play may differ."""
        return self.game.spec.tolerance

    def tape(self, batch: tuple[int, ...] = (), steps: int | None = None) -> Tape:
        """Random play of this game."""
        return random_tape(self.game, self.steps if steps is None else steps, batch, self.seed)


def check_game(game: str | AnyGame | type[AnyGame], *, seed: int = 0, steps: int | None = None) -> None:
    """Check that a game keeps to the `Game` interface: shapes, ranges, purity, batching, backends, resets, traits.

    Args:
        game: an id, a configured game on the NumPy backend, or a game class (configured with its defaults).
        seed: of the random play.
        steps: length of the plays that are compared, at most the horizon; 12 unless given. One check always plays a
            whole episode.

    Raises:
        ConformanceError: a promise is broken; the message names the check, the value and the change that is needed.

    >>> check_game("TrustDilemma-v1", steps=3)
    """
    if isinstance(game, str):
        game = make_game(game)
    elif isinstance(game, type):
        game = game.configure()
    require(isinstance(game, Game), f"{game!r} is no game: pass an id or a coopgym.games.game.Game")
    run_checks(game.id, CHECKS, Subject(game, seed, min(steps or 12, game.spec.horizon)))


def the_spec_is_consistent(subject: Subject) -> None:
    """Endowments, baselines, shares and D are in range and fit together."""
    game, spec = subject.game, subject.game.spec
    n, D = spec.n_agents, spec.interdependence
    require(spec.id == game.id, f"describe() says id {spec.id!r}; use the class's id {game.id!r}")
    require(spec.horizon >= 1, f"horizon={spec.horizon}; an episode needs at least one step")
    require(spec.summary, "the summary is empty; say in one sentence what the game is about")
    require((spec.endowments > 0).all(), f"endowments {spec.endowments} must be positive")
    inside = (spec.baselines >= 0) & (spec.baselines <= spec.endowments)
    require(inside.all(), f"baselines {spec.baselines} must lie in [0, endowment]; they are action units, not shares")
    require((spec.shares >= 0).all(), f"shares {spec.shares} must not be negative")
    require(abs(spec.shares.sum() - 1.0) <= 1e-9, f"shares sum to {spec.shares.sum():g}; divide them by their sum")
    require(D.shape == (n, n), f"interdependence has shape {D.shape}; expected {(n, n)}")
    require(not np.diagonal(D).any(), "interdependence must be zero on the diagonal: nobody depends on themselves")
    require(((D >= 0) & (D <= 1)).all(), "interdependence entries must lie in [0, 1]; rescale the matrix")
    require(set(game.views) <= set(VIEWS), f"views={game.views}; choose among {', '.join(VIEWS)}")
    require(spec.default_view in game.views, f"default_view={spec.default_view!r} is not among views={game.views}")
    require(game.reward_normaliser > 0, f"reward_normaliser={game.reward_normaliser}; it must be positive")


def the_start_has_the_shape_of_the_batch(subject: Subject) -> None:
    """Every state array begins with the batch dimensions."""
    n = subject.game.n_agents
    own = {name: value.shape for name, value in state_arrays(start(subject.game, subject.tape())).items()}
    expected = {"t": (), "last_action": (n,), "trust": (n, n), "damage": (n, n)}
    for name, shape in expected.items():
        require(own.get(name) == shape, f"state.{name} has shape {own.get(name)} in one environment; expected {shape}")
    for batch in BATCHES:
        for name, value in state_arrays(start(subject.game, subject.tape(batch))).items():
            shape = (*batch, *own[name])
            require(
                value.shape == shape,
                f"state.{name} has shape {value.shape} for batch {batch}; lead with the batch, {shape}",
            )


def the_start_is_the_beginning(subject: Subject) -> None:
    """An episode starts at t = 0, counted in whole numbers, with trust and damage in range."""
    state = start(subject.game, subject.tape((3,)))
    require(
        np.issubdtype(state.t.dtype, np.integer),
        f"state.t is of type {state.t.dtype}; count in int64, floating numbers stop counting where one more is lost",
    )
    require((state.t == 0).all(), f"state.t={state.t} after reset; start at 0")
    _require_relations_in_range(state)


def a_step_has_the_shape_of_the_batch(subject: Subject) -> None:
    """Transitions have the documented shapes and types, and states keep theirs."""
    n = subject.game.n_agents
    for batch in BATCHES:
        before, _, transition = next(replay(subject.game, subject.tape(batch)))
        vectors = {name: getattr(transition, name) for name in ("payoffs", "relational", "multiplier", "penalty")}
        for name, value in vectors.items():
            if value is not None:
                require(value.shape == (*batch, n), f"{name} has shape {value.shape}; expected {(*batch, n)}")
        weights = transition.weights
        require(weights.shape == (*batch, n, n), f"weights have shape {weights.shape}; expected {(*batch, n, n)}")
        for name in ("terminated", "truncated"):
            flag = np.asarray(getattr(transition, name))
            require(flag.shape == batch, f"{name} has shape {flag.shape}; it is one flag per environment, {batch}")
            require(flag.dtype == np.bool_, f"{name} has type {flag.dtype}; use a comparison, which gives booleans")
        kind = type(transition.state)
        require(kind is type(before), f"step() turns a {type(before).__name__} into a {kind.__name__}; keep the class")
        arrays, after = state_arrays(before), state_arrays(transition.state)
        require(arrays.keys() == after.keys(), f"a step turns the state's arrays {[*arrays]} into {[*after]}; keep all")
        for name, array in arrays.items():
            for what in ("shape", "dtype"):
                old, new = getattr(array, what), getattr(after[name], what)
                require(old == new, f"state.{name} changes its {what} in a step, from {old} to {new}; keep it")


def a_step_is_pure(subject: Subject) -> None:
    """Equal inputs give equal, finite results and are not changed."""
    game, tape = subject.game, subject.tape((3,))
    normals = tape.step_normals[0]
    for state, actions, _ in replay(game, tape):
        state_before, actions_before = copy.deepcopy(state), actions.copy()
        transition = game.step(state, actions, normals)
        require((actions == actions_before).all(), "step() changes the actions it is given; work on a copy")
        for name, value in state_arrays(state_before).items():
            same = np.array_equal(value, getattr(state, name), equal_nan=True)
            require(same, f"step() changes state.{name} of the state it is given; return a new state instead")
        require(np.isfinite(transition.payoffs).all(), "payoffs are not finite under random play")
        result = numbers(transition)
        change = first_difference(result, numbers(game.step(state, actions, normals)), 0.0)
        require(change is None, f"equal inputs give different results ({change}); keep no state in the game")
        game.step(state, 0.5 * actions, normals)
        change = first_difference(result, numbers(transition), 0.0)
        require(change is None, f"a later step changes an earlier result ({change}); return new arrays")


def a_batch_equals_a_loop(subject: Subject) -> None:
    """A batch computes what single environments compute."""
    tape = subject.tape((2, 3))
    together = play_numbers(subject.game, tape)
    for index in np.ndindex(2, 3):
        alone = play_numbers(subject.game, tape.rows(index))
        part = {name: values[(slice(None), *index)] for name, values in together.items()}
        change = first_difference(alone, part, subject.tolerance)
        require(
            change is None,
            f"environment {index} of a batch differs from the same environment alone ({change}); "
            "index agents from the last dimension ([..., i]) and reduce over the last dimensions only",
        )


def splitting_a_batch_changes_nothing(subject: Subject) -> None:
    """Rows of a batch do not influence one another."""
    tape = subject.tape((4,))
    together = play_numbers(subject.game, tape)
    for part in (slice(0, 1), slice(1, 4)):
        whole = {name: values[:, part] for name, values in together.items()}
        change = first_difference(play_numbers(subject.game, tape.rows(part)), whole, subject.tolerance)
        require(change is None, f"rows of a batch influence one another ({change}); never reduce over batch dimensions")


def relations_stay_in_range(subject: Subject) -> None:
    """Trust and damage stay in [0, 1], trust below its ceiling, and time moves on by one."""
    n = subject.game.n_agents
    for before, _, transition in replay(subject.game, subject.tape((3,))):
        after: State = transition.state
        _require_relations_in_range(after)
        ceiling = np.maximum(1.0 - before.damage, 0.0) + subject.tolerance
        settled = (after.trust <= ceiling) | (after.trust == before.trust)
        require(settled.all(), "trust exceeds its ceiling, 1 - the damage before the step; clip it there")
        weights = transition.weights
        require(not weights[..., range(n), range(n)].any(), "weights must be zero on the diagonal")
        require(((weights >= 0) & np.isfinite(weights)).all(), "weights must be finite and not negative")
        require((after.t == before.t + 1).all(), f"step() moves t from {before.t} to {after.t}; count one step")


def _require_relations_in_range(state: State) -> None:
    for name, diagonal in (("trust", 1.0), ("damage", 0.0)):
        matrix = getattr(state, name)
        require(((matrix >= 0) & (matrix <= 1)).all(), f"{name} leaves [0, 1]; clip it")
        own = matrix[..., range(matrix.shape[-1]), range(matrix.shape[-1])]
        require((own == diagonal).all(), f"{name} must stay {diagonal:g} on the diagonal")


def observations_fit_their_bounds(subject: Subject) -> None:
    """Observations have the shape of their bounds and stay within them."""
    for batch in ((), (3,)):
        for before, _, transition in replay(subject.game, subject.tape(batch)):
            for view in subject.game.views:
                for state in (before, transition.state):
                    _require_observation_in_bounds(subject.game, view, state)
                    _require_seat_sees_its_row(subject.game, view, state)


def _require_observation_in_bounds(game: AnyGame, view: View, state: State) -> None:
    seen = {
        "observe": (game.observe(state, view), game.observation_bounds(view)),
        "observe_jointly": (game.observe_jointly(state, view), game.joint_observation_bounds(view)),
    }
    for name, (observation, (low, high)) in seen.items():
        expected = (*state.t.shape, *low.shape)
        require(
            observation.shape == expected,
            f"{name}(view={view!r}) has shape {observation.shape}; its bounds say {expected}",
        )
        outside = ~((observation >= low - BOUND_SLACK) & (observation <= high + BOUND_SLACK))
        entries = np.unique(np.nonzero(outside)[-1]).tolist()
        require(
            not entries, f"{name}(view={view!r}) leaves its bounds in entries {entries}; widen the bounds or scale them"
        )


def _require_seat_sees_its_row(game: AnyGame, view: View, state: State) -> None:
    observation, bounds = game.observe(state, view), game.observation_bounds(view)
    for seat in (0, game.n_agents - 1):
        same = np.array_equal(game.observe_seat(state, view, seat), observation[..., seat, :])
        require(same, f"observe_seat(view={view!r}, seat={seat}) is not that seat's row of observe; override both")
        own = zip(game.seat_observation_bounds(view, seat), bounds, strict=True)
        require(
            all(np.array_equal(bound, every[seat]) for bound, every in own),
            f"seat_observation_bounds(view={view!r}, seat={seat}) is not that seat's row of observation_bounds; "
            "override both",
        )


def observation_columns_name_what_they_show(subject: Subject) -> None:
    """Blocks name every column, and own actions, partners' actions and trust are where they say."""
    game = subject.game
    *_, (_, actions, transition) = replay(game, subject.tape((3,), steps=2))
    shares = actions / game.spec.endowments
    for view in game.views:
        observation = game.observe(transition.state, view)
        for seat in range(game.n_agents):
            others = [j for j in range(game.n_agents) if j != seat]
            blocks = game.observation_columns(view, seat)
            where = f"observation_columns({view!r}, {seat})"
            needed = ["own_action", "trust", *([] if view == "minimal" else ["partner_actions"])]
            missing = [name for name in needed if name not in blocks]
            require(not missing, f"{where} does not name {', '.join(missing)}, which agents look for")
            columns = sorted({column for block in blocks.values() for column in block})
            everything = list(range(observation.shape[-1]))
            require(columns == everything, f"{where} does not name exactly the columns 0 to {len(everything) - 1}")
            shown = {name: observation[:, seat, blocks[name]] for name in needed}
            truth = {"own_action": shares[:, [seat]], "trust": transition.state.trust[:, seat, others]}
            scales = {"own_action": game.action_scale[[seat]], "partner_actions": game.action_scale[others]}
            truth["partner_actions"] = shares[:, others]
            for name, values in shown.items():
                right = np.allclose(values * scales.get(name, 1.0), truth[name], atol=1e-6)
                require(right, f"{where}[{name!r}] does not show what it names (actions times action_scale are shares)")


def the_page_says_what_is_played(subject: Subject) -> None:
    """A game's own page can be told, and explains every state array and every block of observations."""
    game = subject.game
    try:
        told = sections(game)
    except ValueError as error:
        require(False, f"{error}; placeholders are parameters, facts of the specification, constants of the module")
    require(any(section.heading == "Description" for section in told), "the page has no summary; write one sentence")
    page = game.page
    if page is None:  # a plain page, of the specification and the docstring, will do
        return
    named = {block for view in game.views for block in game.observation_columns(view, 0)} | set(state_names(game))
    unexplained = sorted(name for name in named if page.symbol(name) is None)
    require(not unexplained, f"the page lacks a Symbol for {', '.join(unexplained)}; say how it is written and meant")
    unmeant = [field.name for field in fields(game.parameters) if not declaration(field).doc]
    require(not unmeant, f"parameters {', '.join(unmeant)} say nothing of what they mean; declare them with doc=")
    silent = [name for name in ("payoff", "sources") if not getattr(page, name)]
    require(not silent, f"the page says nothing of {' and '.join(silent)}; fill these fields")


def episodes_end_at_the_horizon(subject: Subject) -> None:
    """Episodes are truncated at the horizon, not before, and end early only where announced."""
    game, horizon = subject.game, subject.game.spec.horizon
    for step, (_, _, transition) in enumerate(replay(game, subject.tape((2,), steps=horizon)), start=1):
        due = step == horizon
        require((transition.truncated == due).all(), f"truncated is {transition.truncated} at step {step} of {horizon}")
        early = np.asarray(transition.terminated).any()
        require(game.may_end_early or not early, "the game terminates early; set may_end_early = True on the class")


def extreme_actions_pay_finite_amounts(subject: Subject) -> None:
    """Nothing overflows when agents play nothing, everything, or a mix."""
    game, tape = subject.game, subject.tape((3,))
    mixed = np.arange(game.n_agents) % 2 * game.spec.endowments
    tape.actions[:] = np.stack([0.0 * game.spec.endowments, game.spec.endowments, mixed])
    tape.actions[1::2, 2] = game.spec.endowments - mixed
    for _, _, transition in replay(game, tape):
        for name, values in numbers(transition).items():
            finite = np.isfinite(values).all()
            require(finite, f"{name} is not finite when agents play 0 or their endowment; guard logarithms and powers")
        for view in game.views:
            _require_observation_in_bounds(game, view, transition.state)


def resets_take_overrides(subject: Subject) -> None:
    """Trust, damage and time can be set at reset, for all environments or one by one."""
    game, tape = subject.game, subject.tape((3,))
    between = ~np.eye(game.n_agents, dtype=bool)
    for value in (0.25, np.array([0.1, 0.2, 0.3])):
        for option, name in (("initial_trust", "trust"), ("initial_reputation", "damage")):
            overrides: dict[str, Any] = {option: value}
            state = game.initial_state((3,), ResetOptions(**overrides), tape.uniforms, tape.normals)
            shown = getattr(state, name)[:, between]
            expected = np.broadcast_to(np.asarray(value).reshape(-1, 1), shown.shape)
            kind = "one number per environment" if isinstance(value, np.ndarray) else "a number"
            require(np.allclose(shown, expected), f"option {option} given as {kind} does not set state.{name}")
            _require_relations_in_range(state)
    options = ResetOptions(initial_state={"t": 1.0})
    state = game.initial_state((3,), options, tape.uniforms, tape.normals)
    require((state.t == 1).all(), "option initial_state={'t': 1} does not set state.t; apply overrides by name")


def resets_refuse_unknown_overrides(subject: Subject) -> None:
    """A state array that the game does not have cannot be set."""
    game, tape = subject.game, subject.tape()
    options = ResetOptions(initial_state={"no_such_stock": 0.0})
    try:
        game.initial_state((), options, tape.uniforms, tape.normals)
    except ValueError:
        return
    require(False, "initial_state={'no_such_stock': 0} is ignored in silence; raise a ValueError that names the stocks")


def the_extra_state_keeps_its_shape(subject: Subject) -> None:
    """The extra state has the same number of finite entries in every state."""
    for batch in ((), (3,)):
        sizes = set()
        for before, _, transition in replay(subject.game, subject.tape(batch)):
            for state in (before, transition.state):
                vector = subject.game.extra_state(state)
                require(vector.shape[:-1] == batch, f"extra_state() has shape {vector.shape} for batch {batch}")
                require(np.isfinite(vector).all(), "extra_state() is not finite")
                sizes.add(vector.shape[-1])
        require(len(sizes) == 1, f"extra_state() has {sorted(sizes)} entries at different steps; fix their number")


def diagnostics_have_their_keys(subject: Subject) -> None:
    """Diagnostics hold what records and reports read."""
    game = subject.game
    for batch in ((), (3,)):
        for before, actions, transition in replay(game, subject.tape(batch)):
            described, step = game.diagnostics(before), game.step_diagnostics(before, actions, transition)
            for name, found, needed in (
                ("diagnostics", described, DIAGNOSTICS),
                ("step_diagnostics", step, STEP_DIAGNOSTICS),
            ):
                missing = [key for key in needed if key not in found]
                require(not missing, f"{name}() lacks {', '.join(missing)}, which records and reports read")
            for key in DIAGNOSTICS:
                shape = np.shape(described[key])
                require(shape == batch, f"diagnostics()[{key!r}] has shape {shape}; expected {batch}")


def games_and_states_pickle(subject: Subject) -> None:
    """A pickled copy plays the same, so games can travel to other processes."""
    game, tape = subject.game, subject.tape((2,))
    state = start(game, tape)
    try:
        game_copy, state_copy = pickle.loads(pickle.dumps((game, state)))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        require(False, f"{error}; define the classes at module level and keep only plain values and arrays on the game")
    actions, normals = tape.actions[0], tape.step_normals[0]
    change = first_difference(
        numbers(game.step(state, actions, normals)), numbers(game_copy.step(state_copy, actions, normals)), 0.0
    )
    require(change is None, f"a pickled copy plays differently ({change}); keep all that matters in the parameters")


def instances_are_independent(subject: Subject) -> None:
    """Two instances of a game do not disturb each other."""
    game = subject.game
    tape, disturbance = subject.tape((2,)), random_tape(game, subject.steps, (2,), subject.seed + 1)
    *_, (_, _, alone) = replay(game, tape)
    result, other = numbers(alone), game.to(game.backend)
    *_, ((_, _, beside), _) = zip(replay(game, tape), replay(other, disturbance), strict=True)
    change = first_difference(result, numbers(beside), 0.0)
    require(change is None, f"a second instance disturbs the first ({change}); keep no arrays on the class or module")


def torch_agrees(subject: Subject) -> None:
    """Torch and NumPy compute the same, where torch is installed."""
    if find_spec("torch") is None:
        return
    import torch

    game, tape = subject.game, subject.tape((3,))
    on_torch = game.to(torch_backend("cpu", torch.float64))
    change = first_difference(play_numbers(game, tape), play_numbers(on_torch, tape), subject.tolerance)
    require(change is None, f"torch and NumPy differ ({change}); compute with self.xp and self.backend.array only")
    state, torch_state = start(game, tape), start(on_torch, tape)
    for view in game.views:
        gap = np.abs(to_numpy(on_torch.observe(torch_state, view)) - game.observe(state, view)).max()
        require(gap <= BOUND_SLACK, f"observe(view={view!r}) differs by {gap:.3g} between torch and NumPy")


def gradients_are_finite(subject: Subject) -> None:
    """Payoffs declared differentiable are so even at the corners of the action space."""
    if not subject.game.traits().differentiable or find_spec("torch") is None:
        return
    import torch

    game, tape = subject.game.to(torch_backend("cpu", torch.float64)), subject.tape((), steps=2)
    for level in (0.0, 1.0):
        actions = (game.endowments * level).requires_grad_()
        total = torch.zeros(())
        for step in unroll(game, lambda *_, held=actions: held, draws=tape, horizon=2, past_end=True):
            relational = step.transition.relational
            total = total + step.transition.payoffs.sum() + (0.0 if relational is None else relational.sum())
        (gradient,) = torch.autograd.grad(total, actions)
        require(
            bool(torch.isfinite(gradient).all()),
            f"gradients of payoffs are not finite when everybody plays {level:.0%}; smooth roots and logarithms",
        )


CHECKS = (
    the_spec_is_consistent,
    the_start_has_the_shape_of_the_batch,
    the_start_is_the_beginning,
    a_step_has_the_shape_of_the_batch,
    a_step_is_pure,
    a_batch_equals_a_loop,
    splitting_a_batch_changes_nothing,
    relations_stay_in_range,
    observations_fit_their_bounds,
    observation_columns_name_what_they_show,
    the_page_says_what_is_played,
    episodes_end_at_the_horizon,
    extreme_actions_pay_finite_amounts,
    resets_take_overrides,
    resets_refuse_unknown_overrides,
    the_extra_state_keeps_its_shape,
    diagnostics_have_their_keys,
    games_and_states_pickle,
    instances_are_independent,
    torch_agrees,
    gradients_are_finite,
    *TRAIT_CHECKS,
)
"""The battery, in order."""
