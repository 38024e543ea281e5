"""The reward pipeline: its texts, what transforms get to see, and that scores never see a transform."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coopgym
from coopgym.agents import Seat
from coopgym.agents.heuristics import TitForTat
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.step import Step
from coopgym.oracles.dynamic.planning import PlanningProblem
from coopgym.oracles.games.normal_form import StageGame
from coopgym.play import play
from coopgym.play.engine import Engine
from coopgym.rewards import (
    MODES,
    TRANSFORMS,
    Cooperative,
    InequityAversion,
    Mutuality,
    ObservedStep,
    PayoffMatrix,
    Private,
    RewardMode,
    Rewards,
    RewardTransform,
    RunningTransform,
    Shaping,
    SocialValueOrientation,
    objective,
    register_transform,
    reward_layer,
)
from coopgym.testing.tape import random_tape, replay

SHAPED = "private + shaping(trust)"
GAME = make_game("TrustDilemma-v1", max_steps=6)


@dataclass(frozen=True)
class Raise(RewardTransform):
    """Pays every agent a rise over the episode's first reward, and takes back half of the last at the end."""

    kind = "raise"
    rate: float = 0.5

    @property
    def needs(self) -> frozenset[str]:
        return frozenset()

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return _RunningRaise(self.rate, game)


class _RunningRaise(RunningTransform):
    def __init__(self, rate: float, game: AnyGame) -> None:
        self.rate, self.xp = rate, game.xp
        self.first: Array | None = None
        self.fresh: Array | None = None

    def reset(self, episodes: Array | None = None) -> None:
        if episodes is None or self.first is None:
            self.first = None
        else:
            self.fresh = episodes

    def __call__(self, step: ObservedStep, reward: Array) -> Array:
        if self.first is None:
            self.first = reward
        elif self.fresh is not None:
            self.first = self.xp.where(self.fresh[..., None], reward, self.first)
        self.fresh, self.last = None, reward
        return reward + self.rate * (reward - self.first)

    def end(self, alive: Array) -> Array:
        return (-0.5 * self.last * ~alive[..., None])[None]


@dataclass(frozen=True)
class Hindsight(Raise):
    """The same, in need of whole episodes."""

    kind = "hindsight"
    causal = False


@pytest.fixture
def registered() -> Iterator[None]:
    register_transform(Raise)
    yield
    del TRANSFORMS["raise"]


@pytest.mark.parametrize(
    "text",
    [
        *MODES,
        "mutuality=0", "mutuality=0.5", "mutuality=1", "svo=45", "svo=-22.5", "inequity=1,0.5", "inequity=0.25,0",
        "matrix=1,0;0,1", "matrix=0.1,-2;1e-10,3", "matrix=1e+16,0;0,1", SHAPED, "private + shaping(trust, gamma=1)",
        "cooperative + shaping(mean_trust, weight=0.5) + shaping(trust)", "matrix=1e+16,0;0,1 + shaping(trust)",
    ],
)  # fmt: skip
def test_forms_round_trip_through_their_name(text: str) -> None:
    rewards = reward_layer(text)
    assert rewards.name == str(rewards) == text
    assert reward_layer(rewards.name) == rewards
    assert hash(reward_layer(rewards.name)) == hash(rewards)
    assert reward_layer(rewards) is rewards
    assert pickle.loads(pickle.dumps(rewards)) == rewards


def test_texts_may_be_written_as_one_likes() -> None:
    expected = Rewards(Cooperative(), (Shaping("mean_trust", 0.5, 1.0),))
    for text in (
        "cooperative+shaping(mean_trust,0.5,1)",
        "  cooperative  +  shaping( mean_trust , gamma=1.0, weight = 0.5 )",
    ):
        assert reward_layer(text) == expected


modes = st.one_of(
    st.builds(Mutuality, st.floats(0.0, 1.0)),
    st.builds(SocialValueOrientation, st.floats(-180.0, 180.0)),
    st.builds(InequityAversion, st.floats(0.0, 100.0), st.floats(0.0, 0.999)),
    st.builds(PayoffMatrix, st.tuples(*[st.tuples(*[st.floats(-1e20, 1e20)] * 2)] * 2)),
)
potentials = st.sampled_from(["trust", "mean_trust"])


@given(modes, st.lists(st.builds(Shaping, potentials, st.floats(-1e20, 1e20), st.floats(0, 1))))
def test_names_identify_modes_and_transforms(mode: RewardMode, transforms: list[Shaping]) -> None:
    rewards = Rewards(mode, tuple(transforms))
    assert reward_layer(rewards.name) == rewards
    assert reward_layer(mode) == rewards.evaluated == Rewards(mode)


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        ("integratd", "unknown reward 'integratd'; did you mean 'integrated'.*known forms: private"),
        ("mutual=0.5", "unknown reward 'mutual=0.5'"),
        ("", "unknown reward ''"),
        ("mutuality", "reward='mutuality': could not convert"),
        ("mutuality=1.5", r"mutuality=1.5: expected a number in \[0, 1\]"),
        ("mutuality=nan", r"mutuality=nan: expected a number in \[0, 1\]"),
        ("svo=200", r"svo=200.0: expected an angle in degrees in \[-180, 180\]"),
        ("svo=left", "reward='svo=left': could not convert"),
        ("inequity=1", "reward='inequity=1': not enough values"),
        ("inequity=-1,0.5", "envy=-1.0: expected a finite number of at least 0"),
        ("inequity=inf,0.5", "envy=inf"),
        ("inequity=1,1", r"guilt=1.0: expected a number in \[0, 1\)"),
        ("matrix=1,0", r"expected a square matrix of finite numbers, got shape \(1, 2\)"),
        ("matrix=1,0;0", "reward='matrix=1,0;0'"),
        ("matrix=1,nan;0,1", "expected a square matrix of finite numbers"),
        ("privat + shaping(trust)", "unknown reward 'privat'; did you mean 'private'"),
    ],
)
def test_bad_forms_say_what_is_wrong_and_what_is_known(reward: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        reward_layer(reward)
    assert "known forms: private, integrated" in str(raised.value)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ("shapin(trust)", "unknown transform 'shapin'; did you mean 'shaping'?"),
        ("trust", "unknown transform 'trust'; known transforms: "),
        ("shaping", "shaping: potential must be given; expected "),
        ("shaping()", "potential must be given"),
        ("shaping(effort)", "unknown potential 'effort'; known potentials: trust, mean_trust"),
        ("shaping(trust, wight=1)", "'wight=1' is no setting of it"),
        ("shaping(trust, potential=trust)", "'potential=trust' is no setting of it, or one that is given already"),
        ("shaping(trust, 1, 1, 1)", "'1' is no setting of it"),
        ("shaping(trust, much)", "could not convert string to float: 'much'"),
        ("shaping(trust, weight=inf)", "weight=inf: expected a finite number"),
        ("shaping(trust, gamma=1.5)", r"gamma=1.5: expected a number in \[0, 1\]"),
    ],
)
def test_bad_transforms_say_what_is_wrong_and_how_they_are_written(transform: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")) as raised:
        reward_layer(f"integrated + {transform}")
    assert "shaping(potential, weight=1, gamma=0.99)" in str(raised.value)


def test_what_is_neither_text_nor_reward_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a mode name, a RewardMode or Rewards"):
        reward_layer(0.5)  # type: ignore[arg-type]


def test_under_private_reward_transforms_keep_to_what_an_agent_has() -> None:
    with pytest.raises(ValueError, match=r"shaping\(mean_trust\) looks at the state, but under private reward"):
        reward_layer("private + shaping(mean_trust)")
    with pytest.raises(ValueError, match=r"raise mixes the rewards or observations of agents, but under private"):
        Rewards(Private(), (Raise(),))
    assert reward_layer("integrated + shaping(mean_trust)").transforms


def test_a_transform_that_observes_gets_the_own_rows_and_no_state() -> None:
    before, actions, transition = next(replay(GAME, random_tape(GAME, 1, (2,), seed=0)))
    observed = ObservedStep.of(Step(GAME, 0, before, actions, transition))
    npt.assert_array_equal(observed.before, GAME.observe(before, "own"))
    npt.assert_array_equal(observed.after, GAME.observe(transition.state, "own"))
    assert {field.name for field in dataclasses.fields(observed)} == {"game", "t", "ended", "before", "after"}


def test_transforms_of_one_kind_are_one_class() -> None:
    @dataclass(frozen=True)
    class Other(Raise):
        kind = "shaping"

    with pytest.raises(ValueError, match="Shaping is the transform 'shaping'; choose another"):
        register_transform(Other)
    with pytest.raises(TypeError, match="Plain: decorate it with @dataclass"):
        register_transform(type("Plain", (RewardTransform,), {"kind": "plain"}))


def test_text_asks_for_registered_transforms(registered: None) -> None:
    assert reward_layer("integrated + raise()").transforms == (Raise(),)
    assert reward_layer("integrated + raise(rate=2)").name == "integrated + raise(rate=2)"


def test_a_pipeline_with_transforms_runs_before_it_rewards() -> None:
    before, actions, transition = next(replay(GAME, random_tape(GAME, 1, (2,), seed=0)))
    step, shaped = Step(GAME, 0, before, actions, transition), reward_layer(SHAPED)
    with pytest.raises(ValueError, match=r"call \.running\(game, batch\), or \.evaluated for the mode alone"):
        shaped(step)
    npt.assert_array_equal(shaped.evaluated(step), transition.payoffs)
    assert (shaped.running(GAME, (2,))(step) != transition.payoffs).any()


def test_memory_lives_in_what_runs_and_rows_restart_on_their_own() -> None:
    rewards = Rewards(MODES["integrated"].mode, (Raise(rate=1.0),))
    engine = Engine(GAME, rewards, (2,))
    engine.reset(0)
    full, none = np.tile(GAME.spec.endowments, (2, 1)), np.zeros((2, 2))
    first = MODES["integrated"].mode
    made, plain = [], []
    for actions in (full, none):
        before = engine.state
        transition, reward = engine.step(actions)
        made.append(reward)
        plain.append(first(Step(GAME, 0, before, actions, transition)))
    npt.assert_array_equal(made[0], plain[0])
    npt.assert_allclose(made[1], 2 * plain[1] - plain[0])
    engine.reset_where(np.array([True, False]))
    before = engine.state
    transition, reward = engine.step(none)
    again = first(Step(GAME, 0, before, none, transition))
    npt.assert_allclose(reward[0], again[0])
    npt.assert_allclose(reward[1], 2 * again[1] - plain[0][1])


def test_corrections_come_with_the_last_reward() -> None:
    engine = Engine(GAME, Rewards(MODES["integrated"].mode, (Raise(rate=0.0),)), (1,))
    engine.reset(0)
    for t in range(GAME.spec.horizon):
        before, actions = engine.state, np.full((1, 2), 20.0)
        transition, reward = engine.step(actions)
        plain = MODES["integrated"](Step(GAME, t, before, actions, transition))
        npt.assert_allclose(reward, plain if t + 1 < GAME.spec.horizon else 0.5 * plain)


def test_environments_refuse_what_needs_whole_episodes() -> None:
    with pytest.raises(ValueError, match=r"hindsight needs whole episodes; an environment pays step by step"):
        Engine(GAME, Rewards(Cooperative(), (Hindsight(),)))


def test_rows_of_a_batch_may_have_pipelines_of_their_own() -> None:
    names = ["private", SHAPED, "private", "cooperative + shaping(mean_trust)"]
    engine = Engine(GAME, names, (4, 3))
    alone = {name: Engine(GAME, name, (4, 3)) for name in names}
    for each in (engine, *alone.values()):
        each.reset(0)
    for t in range(GAME.spec.horizon):
        actions = np.random.default_rng(t).random((4, 3, 2)) * GAME.spec.endowments
        _, rewards = engine.step(actions)
        expected = {name: each.step(actions)[1] for name, each in alone.items()}
        for row, name in enumerate(names):
            npt.assert_array_equal(rewards[row], expected[name][row])


ACTIONS = np.random.default_rng(5).random((6, 2)) * GAME.spec.endowments


def joint() -> Iterator[Any]:
    env = gymnasium.make("coopgym/TrustDilemma-v1", control="joint", reward=SHAPED, max_steps=6, actions="units")
    env.reset(seed=0)
    assert env.spec is not None
    assert env.spec.kwargs["reward"] == SHAPED
    for actions in ACTIONS:
        info = env.step(actions)[4]
        yield info["rewards"], info["payoffs"]


def vector() -> Iterator[Any]:
    env = gymnasium.make_vec(
        "coopgym/TrustDilemma-v1", 3, control="joint", reward=Rewards(Private(), (Shaping("trust"),)), max_steps=6,
        actions="units",
    )  # fmt: skip
    env.reset(seed=0)
    for actions in ACTIONS:
        info = env.step(np.tile(actions, (3, 1)))[4]
        yield info["rewards"][1], info["payoffs"][1]


def parallel() -> Iterator[Any]:
    env = coopgym.parallel_env("TrustDilemma-v1", reward=SHAPED, max_steps=6, actions="units")
    env.reset(seed=0)
    for actions in ACTIONS:
        _, rewards, _, _, infos = env.step(dict(zip(env.agents, actions[:, None], strict=True)))
        yield list(rewards.values()), [info["payoff"] for info in infos.values()]


def on_torch(**options: Any) -> Iterator[Any]:
    torch = pytest.importorskip("torch")
    env = coopgym.torch_env(
        "TrustDilemma-v1", 2, reward=SHAPED, max_steps=6, actions="units", dtype=torch.float64, **options
    )
    env.reset(seed=0)
    for actions in ACTIONS:
        _, rewards, _, _, info = env.step(torch.tensor(np.tile(actions, (2, 1))))
        yield rewards[1].numpy(), info["payoffs"][1].numpy()


def by_seat() -> Iterator[Any]:
    env = gymnasium.make("coopgym/TrustDilemma-v1", partners="Constant_40", reward=SHAPED, max_steps=6, actions="units")
    env.reset(seed=0)
    for actions in ACTIONS:
        _, reward, *_, info = env.step(actions[:1])
        assert reward == info["rewards"][0]
        yield info["rewards"], info["payoffs"]


def sb3() -> Iterator[Any]:
    pytest.importorskip("stable_baselines3")
    from coopgym.interfaces.sb3 import seat_vec_env

    env = seat_vec_env("TrustDilemma-v1", 2, reward=SHAPED, max_steps=6, actions="units")
    env.reset()
    for actions in ACTIONS:
        _, rewards, _, infos = env.step(np.tile(actions, 2)[:, None])
        yield rewards[2:].astype(np.float64), [info["payoff"] for info in infos[2:]]


@pytest.mark.parametrize("played", [joint, vector, parallel, on_torch, sb3])
def test_every_interface_pays_the_transformed_reward_and_tells_the_payoffs(played: Any) -> None:
    engine = Engine(GAME, SHAPED)
    engine.reset(0)
    for actions, (rewards, payoffs) in zip(ACTIONS, played(), strict=True):
        transition, expected = engine.step(actions)
        npt.assert_allclose(rewards, expected, rtol=1e-6)
        npt.assert_allclose(payoffs, transition.payoffs, rtol=1e-9)
        assert (expected != transition.payoffs).all()


def test_a_seat_earns_the_transformed_reward_and_its_partners_are_told_the_mode() -> None:
    partner = Listener()
    env = gymnasium.make("coopgym/TrustDilemma-v1", partners=partner, reward=SHAPED, max_steps=6)
    env.reset(seed=0)
    _, reward, *_, info = env.step(np.zeros(1))
    assert reward == info["rewards"][0] != info["payoffs"][0]
    assert partner.told == "private"


def test_language_models_earn_the_transformed_reward_and_read_of_the_mode() -> None:
    shaped, plain = (coopgym.text_env("TrustDilemma-v1", reward=reward, seed=1) for reward in (SHAPED, "private"))
    assert shaped.prompt(0) == plain.prompt(0)
    for match in (shaped, plain):
        match.send(0, "submit .60")
    npt.assert_array_equal(shaped.outcome(0).payoffs, plain.outcome(0).payoffs)
    npt.assert_array_equal(plain.outcome(0).rewards, plain.outcome(0).payoffs[:, 0])
    assert (shaped.outcome(0).rewards != plain.outcome(0).rewards).all()


class Listener(TitForTat):
    """Remembers what it is told of its reward."""

    told = ""

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        self.told = seat.reward
        super().begin(seat, episodes, rng)


def test_evaluation_and_those_who_play_in_it_know_the_mode_alone() -> None:
    agents = [Listener(), Listener()]
    plain, shaped = (play(GAME, agents, reward=reward, record=True) for reward in ("private", SHAPED))
    assert [agent.told for agent in agents] == ["private", "private"]
    assert shaped.returns.keys() == plain.returns.keys() == MODES.keys()
    assert shaped.trajectory is not None
    assert plain.trajectory is not None
    for field in dataclasses.fields(plain.trajectory):
        npt.assert_array_equal(getattr(shaped.trajectory, field.name), getattr(plain.trajectory, field.name))


def test_solvers_take_the_mode_where_transforms_move_no_optimum() -> None:
    assert objective("cooperative + shaping(trust)") == MODES["cooperative"]
    assert StageGame(GAME, SHAPED).layer == PlanningProblem(GAME, [SHAPED]).layers[0] == MODES["private"]
    moved = Rewards(Cooperative(), (Shaping("trust"), Raise()))
    for solver in (StageGame, lambda game, reward: PlanningProblem(game, [reward])):
        with pytest.raises(ValueError, match=r"raise is not potential based.*solve 'cooperative' instead"):
            solver(GAME, moved)


@dataclass(frozen=True)
class Maximin(RewardMode):
    """Everybody gets what the worst off earns."""

    name = "maximin"
    impartial = True

    def __call__(self, step: Step) -> Array:
        payoffs = step.transition.payoffs
        return step.game.xp.broadcast_to(step.game.xp.min(payoffs, axis=-1)[..., None], payoffs.shape)


def test_a_mode_of_ones_own_goes_wherever_modes_go() -> None:
    pytest.importorskip("torch")
    env = coopgym.torch_env("TrustDilemma-v1", 2, reward=Rewards(Maximin(), (Shaping("mean_trust"),)))
    engine = Engine(GAME, Maximin())
    engine.reset(0)
    transition, rewards = engine.step(np.array([20.0, 60.0]))
    npt.assert_array_equal(rewards, np.repeat(transition.payoffs.min(), 2))
    env.reset(seed=0)
    assert env.step(env.game.endowments.expand(2, 2) * 0.0)[1].shape == (2, 2)
    worst = StageGame(GAME, Maximin())
    assert worst.utilities(np.array([0.2, 0.6])) == pytest.approx(worst.payoffs(np.array([0.2, 0.6])).min())
    assert play(GAME, [TitForTat(), TitForTat()], reward=Maximin()).returns.keys() == {*MODES, "maximin"}
