"""The public checker of games: the shipped ones pass, a user's does, and broken ones learn what to change."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.pages.shared import RELATIONS
from coopgym.games.formal.parameters import GroupParameters
from coopgym.games.game import ResetOptions, Transition
from coopgym.games.page import GamePage, Source
from coopgym.games.registry import GAME_IDS, games, make_game
from coopgym.games.spec import GameSpec
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.testing import ConformanceError, check_game
from coopgym.worlds import WORLDS


class Commons(FormalGame[State, GroupParameters]):
    """A pasture that everybody may graze."""

    id = "Commons-v0"
    Parameters = GroupParameters
    mechanism_class = "TR-1"
    category = "my own"
    summary = "A pasture that everybody may graze."
    defaults = {"n_agents": 3}

    def payoffs(self, state: State, cooperation: Array) -> Array:
        return self.own_value(state, cooperation) + 2.0 * cooperation.mean(-1)[..., None]


class BlendsRows(Commons):
    def payoffs(self, state: State, cooperation: Array) -> Array:
        return self.own_value(state, cooperation) + cooperation.mean()


class WritesIntoTheState(Commons):
    def step(self, state: State, actions: Array, normals: Array | None = None) -> Transition:
        state.trust[..., 0, 1] *= 0.5
        return super().step(state, actions, normals)


class WritesIntoTheActions(Commons):
    def step(self, state: State, actions: Array, normals: Array | None = None) -> Transition:
        actions *= 0.5
        return super().step(state, actions, normals)


class CountsItsSteps(Commons):
    steps = 0

    def payoffs(self, state: State, cooperation: Array) -> Array:
        self.steps += 1
        return super().payoffs(state, cooperation) + self.steps


class ReusesItsBuffer(Commons):
    def step(self, state: State, actions: Array, normals: Array | None = None) -> Transition:
        transition = super().step(state, actions, normals)
        self.buffer = getattr(self, "buffer", 0.0 * transition.payoffs)
        if self.buffer.shape != transition.payoffs.shape:
            self.buffer = 0.0 * transition.payoffs
        self.buffer[:] = transition.payoffs
        return dataclasses.replace(transition, payoffs=self.buffer)


class CountsItsInstances(Commons):
    instances = 0

    def __init__(self, parameters: GroupParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        type(self).instances += 1

    def payoffs(self, state: State, cooperation: Array) -> Array:
        return super().payoffs(state, cooperation) + self.instances


class PaysRoots(Commons):
    def payoffs(self, state: State, cooperation: Array) -> Array:
        return self.own_value(state, cooperation) + cooperation**0.5


class PaysLogarithms(Commons):
    def payoffs(self, state: State, cooperation: Array) -> Array:
        return self.own_value(state, cooperation) + self.xp.log(cooperation)


class PaysOneNumber(Commons):
    def payoffs(self, state: State, cooperation: Array) -> Array:
        return cooperation.sum(-1)


class NeedsNumPy(Commons):
    def payoffs(self, state: State, cooperation: Array) -> Array:
        return super().payoffs(state, cooperation) + np.sin(cooperation)


class NegotiatesInUnits(Commons):
    def observation_bounds(self, view: Any) -> Any:
        low, high = super().observation_bounds(view)
        return low, 0.1 * high


class DimsTheViewOfAll(Commons):
    def observe(self, state: State, view: Any) -> Array:
        return 0.5 * super().observe(state, view)


class WidensTheBoundsOfAll(Commons):
    def observation_bounds(self, view: Any) -> Any:
        low, high = super().observation_bounds(view)
        return low, 2.0 * high


class LosesColumns(Commons):
    def observation_columns(self, view: Any, seat: int) -> dict[str, list[int]]:
        return {name: columns for name, columns in super().observation_columns(view, seat).items() if name != "time"}


class MixesUpPartners(Commons):
    def observation_columns(self, view: Any, seat: int) -> dict[str, list[int]]:
        columns = super().observation_columns(view, seat)
        return (
            {**columns, "partner_actions": columns["partner_actions"][::-1]}
            if "partner_actions" in columns
            else columns
        )


class NeverEnds(Commons):
    def step(self, state: State, actions: Array, normals: Array | None = None) -> Transition:
        transition = super().step(state, actions, normals)
        return dataclasses.replace(transition, truncated=transition.terminated)


class CountsInFloats(Commons):
    def next_state(self, state: State, cooperation: Array, signals: Array | None = None, **stocks: Array) -> State:
        return dataclasses.replace(super().next_state(state, cooperation, signals, **stocks), t=state.t + 1.0)


class StartsInFloats(Commons):
    def initial_state(self, *args: Any, **keywords: Any) -> State:
        state = super().initial_state(*args, **keywords)
        return dataclasses.replace(state, t=state.t * 1.0)


class EndsEarly(Commons):
    def step(self, state: State, actions: Array, normals: Array | None = None) -> Transition:
        transition = super().step(state, actions, normals)
        return dataclasses.replace(transition, terminated=transition.state.t > 5)


class TrustsTooMuch(Commons):
    def next_state(self, state: State, cooperation: Array, signals: Array | None = None, **stocks: Array) -> State:
        after = super().next_state(state, cooperation, signals, **stocks)
        return dataclasses.replace(after, trust=self.xp.minimum(after.trust + 0.3, 1.0))


class TrustsBeyondMeasure(Commons):
    def next_state(self, state: State, cooperation: Array, signals: Array | None = None, **stocks: Array) -> State:
        after = super().next_state(state, cooperation, signals, **stocks)
        return dataclasses.replace(after, trust=after.trust + 0.3)


class IgnoresUnknownStocks(Commons):
    def initial_state(self, batch: Any = (), options: ResetOptions | None = None, *draws: Any) -> State:
        known = {field.name for field in dataclasses.fields(State)}
        given = (options and options.initial_state) or {}
        options = options and dataclasses.replace(options, initial_state={k: given[k] for k in given if k in known})
        return super().initial_state(batch, options, *draws)


class IgnoresTrust(Commons):
    def initial_state(self, batch: Any = (), options: ResetOptions | None = None, *draws: Any) -> State:
        return super().initial_state(batch, options and dataclasses.replace(options, initial_trust=None), *draws)


class ForgetsWelfare(Commons):
    def step_diagnostics(self, before: State, actions: Array, transition: Transition) -> dict[str, Array]:
        described = super().step_diagnostics(before, actions, transition)
        return {key: value for key, value in described.items() if key != "welfare"}


class GreedyShares(Commons):
    def describe(self) -> GameSpec:
        return dataclasses_replaced(super().describe(), shares=np.full(3, 0.5))


class Narcissist(Commons):
    def describe(self) -> GameSpec:
        return dataclasses_replaced(super().describe(), interdependence=np.full((3, 3), 0.5))


def dataclasses_replaced(spec: GameSpec, **changes: Any) -> GameSpec:
    """`dataclasses.replace` that leaves the derived field alone."""
    fields = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec) if field.init}
    return GameSpec(**{**fields, **changes})


class Unpicklable(Commons):
    def __reduce__(self) -> Any:
        return lambda: self, ()


PAGE = GamePage(
    title="Commons",
    summary="A pasture that everybody may graze.",
    seats="agent_0 .. agent_{last}.",
    actions="grazing in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=("own value and {gamma} times the mean of shares.",),
    end="after {horizon} steps.",
    symbols=RELATIONS,
    sources=(Source("Hardin (1968)"),),
)


class Written(Commons):
    page = PAGE


class NamesWhatItHasNot(Commons):
    page = dataclasses.replace(PAGE, end="after {rounds} steps.")


class HasNoSymbolForTrust(Commons):
    page = dataclasses.replace(PAGE, symbols=tuple(each for each in RELATIONS if each.field != "trust"))


class SaysNothingOfPayoffs(Commons):
    page = dataclasses.replace(PAGE, payoff=(), sources=())


@dataclass(frozen=True, kw_only=True)
class GroupWithALake(GroupParameters):
    lake: float = 1.0


class SaysNothingOfTheLake(Written):
    Parameters = GroupWithALake


class Drawn(Commons):
    defaults = {"n_agents": 3, "world": "private", "payoff_noise": 0.1}

    def told(self, **changes: Any) -> Traits:
        """The game's traits, with its world, unless it is fixed, described otherwise."""
        traits = super().traits()
        return traits.extended(world=traits.world and dataclasses.replace(traits.world, **changes))


class SaysTooSmallASpread(Drawn):
    def traits(self) -> Traits:
        return self.told(spread=1.2)


class SaysAllSeatsAreAlike(Drawn):
    def traits(self) -> Traits:
        return self.told(kind=WORLDS["common"])


class SaysAnotherRangeOfPayoffs(Drawn):
    def traits(self) -> Traits:
        return self.told(least=np.full(3, -2.0))


class SaysNothingOfItsWorld(Drawn):
    def traits(self) -> Traits:
        return super().traits().extended(world=None)


class SaysNothingOfItsNoise(Drawn):
    def traits(self) -> Traits:
        return super().traits().extended(payoff_noise=0.0)


class SaysItIsNoisy(Commons):
    def traits(self) -> Traits:
        return super().traits().extended(payoff_noise=0.5)


@pytest.mark.parametrize("id", games())
def test_shipped_games_conform(id: str) -> None:
    check_game(id)


def test_a_game_of_one_s_own_conforms_without_registration() -> None:
    check_game(Commons)
    check_game(Written)
    check_game(Drawn)
    check_game(Commons.configure(n_agents=2, endowment=(10.0, 30.0), payoff_noise=0.1), seed=3, steps=4)


@pytest.mark.parametrize(
    ("id", "parameters"),
    [
        ("TrustDilemma-v1", {"end_on_dissolution": True, "payoff_noise": 0.1}),
        ("ReputationMarket-v1", {"visibility": 0.5}),
        ("TeamProduction-v1", {"n_agents": 2, "max_steps": 1}),
        ("GraduatedSanction-v1", {"mechanism": False}),
        ("PublicGoods-v1", {"q": 0.0, "theta": 0.0}),
    ],
)
def test_shipped_games_conform_with_other_parameters(id: str, parameters: dict[str, Any]) -> None:
    check_game(make_game(id, **parameters), steps=5)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (GreedyShares, "Commons-v0: the spec is consistent: shares sum to 1.5; divide them by their sum"),
        (Narcissist, "interdependence must be zero on the diagonal"),
        (PaysOneNumber, r"payoffs has shape \(\); expected \(3,\)"),
        (BlendsRows, "index agents from the last dimension"),
        (WritesIntoTheState, "step.. changes state.trust of the state it is given; return a new state"),
        (WritesIntoTheActions, "step.. changes the actions it is given"),
        (CountsItsSteps, "equal inputs give different results .payoffs differs by up to .*keep no state in the game"),
        (PaysRoots, "gradients of payoffs are not finite when everybody plays 0%"),
        (PaysLogarithms, "payoffs is not finite when agents play 0 or their endowment; guard logarithms"),
        (NeedsNumPy, "torch agrees"),
        (NegotiatesInUnits, r"observe\(view='own'\) leaves its bounds in entries \[0"),
        (DimsTheViewOfAll, r"observe_seat\(view='own', seat=0\) is not that seat's row of observe; override both"),
        (WidensTheBoundsOfAll, r"seat_observation_bounds\(view='own', seat=0\) is not that seat's row of"),
        (LosesColumns, "does not name exactly the columns 0 to"),
        (MixesUpPartners, r"observation_columns\('own', 0\)\['partner_actions'\] does not show what it names"),
        (StartsInFloats, "state.t is of type float64; count in int64"),
        (CountsInFloats, "state.t changes its dtype in a step, from int64 to float64; keep it"),
        (NeverEnds, "truncated is .* at step 100 of 100"),
        (EndsEarly, "set may_end_early = True"),
        (TrustsTooMuch, "trust exceeds its ceiling"),
        (TrustsBeyondMeasure, r"trust leaves \[0, 1\]; clip it"),
        (IgnoresUnknownStocks, "is ignored in silence; raise a ValueError"),
        (IgnoresTrust, "option initial_trust given as a number does not set state.trust"),
        (ForgetsWelfare, r"step_diagnostics\(\) lacks welfare"),
        (ReusesItsBuffer, "a later step changes an earlier result .payoffs differs.*; return new arrays"),
        (CountsItsInstances, "a second instance disturbs the first"),
        (NamesWhatItHasNot, "the page says what is played: page 'Commons': 'rounds' is nothing of Commons-v0"),
        (HasNoSymbolForTrust, "the page lacks a Symbol for trust; say how it is written and meant"),
        (SaysNothingOfPayoffs, "the page says nothing of payoff and sources; fill these fields"),
        (SaysNothingOfTheLake, "parameters lake say nothing of what they mean; declare them with doc="),
        (SaysTooSmallASpread, r"factors are drawn outside \[1/1.2, 1.2\]; correct world.spread"),
        (SaysAllSeatsAreAlike, "a common world gives all seats the same"),
        (SaysAnotherRangeOfPayoffs, "payoff_share is not the last payoff between world.least and world.greatest"),
        (SaysNothingOfItsWorld, "the state has factors of costs or synergy; declare world in traits"),
        (SaysNothingOfItsNoise, "payoffs are noisy by something else than payoff_noise=0 in traits"),
        (SaysItIsNoisy, "payoff_noise=0.5, but steps draw nothing"),
        (Unpicklable, "games and states pickle: .*; define the classes at module level"),
    ],
)
@pytest.mark.filterwarnings("ignore:(divide by zero|invalid value):RuntimeWarning")
def test_broken_games_learn_what_to_change(broken: type[Commons], message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check_game(broken)


def test_what_is_no_game_is_refused() -> None:
    with pytest.raises(ConformanceError, match="is no game: pass an id or a"):
        check_game(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="did you mean 'TrustDilemma-v1'"):
        check_game("TrustDilema-v1")


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(
    "game_id", ["PartnerHoldUp-v1", "CoalitionFormation-v1", "SynergySearch-v1", "AppleAppStore-v1"]
)
def test_shipped_games_conform_in_worlds(game_id: str, world: str) -> None:
    check_game(make_game(game_id, world=world))


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("game_id", [game_id for game_id in GAME_IDS if game_id.endswith("-v1")])
def test_every_game_conforms_in_every_world(game_id: str, world: str) -> None:
    check_game(make_game(game_id, world=world))
