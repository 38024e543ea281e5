"""Bad input is an error that names the value, what was expected and the fix, and leaves the episode as it was."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest

from coopgym.interfaces.gymnasium import make_env
from coopgym.interfaces.vector import make_vector_env
from coopgym.rewards import reward_layer
from tests.interfaces.playing import aec_env, by_agent, joint_env, parallel_env, seat_env, torch_env, vector_env

# Actions. GiftExchange: employer's endowment 100, worker's 80.

GAME = "GiftExchange-v1"
GOOD = [40.0, 30.0]


class Joint:
    def __init__(self, **keywords: Any) -> None:
        self.env = joint_env(GAME, **keywords)
        self.env.reset(seed=0)

    def play(self, levels: Any) -> Any:
        return self.env.step(levels)[4]["rewards"]


class Parallel(Joint):
    def __init__(self, **keywords: Any) -> None:
        self.env = parallel_env(GAME, **keywords)
        self.env.reset(seed=0)

    def play(self, levels: Any) -> Any:
        return [*self.env.step(by_agent(self.env, levels))[1].values()]


class Alternating(Joint):
    def __init__(self, **keywords: Any) -> None:
        self.env = aec_env(GAME, **keywords)
        self.env.reset(seed=0)

    def play(self, levels: Any) -> Any:
        if self.env.agent_selection == "agent_0":
            self.env.step(levels[0])
        self.env.step(levels[1])
        return [*self.env.rewards.values()]


class Vector(Joint):
    def __init__(self, **keywords: Any) -> None:
        self.env = vector_env(GAME, 2, control="joint", **keywords)
        self.env.reset(seed=0)

    def play(self, levels: Any) -> Any:
        return self.env.step([GOOD, levels])[4]["rewards"][1]


class Torch(Joint):
    def __init__(self, **keywords: Any) -> None:
        self.torch = pytest.importorskip("torch")
        self.env = torch_env(GAME, 2, dtype=self.torch.float64, **keywords)
        self.env.reset(seed=0)

    def play(self, levels: Any) -> Any:
        return self.env.step(self.torch.tensor(np.array([GOOD, levels])))[1][1].numpy()


class Seat(Joint):
    """The worker's seat beside a partner that remembers."""

    def __init__(self, **keywords: Any) -> None:
        self.env = seat_env(GAME, seat=1, partners="Gradual", **keywords)
        self.env.reset(seed=0)

    def play(self, levels: Any) -> Any:
        return self.env.step(levels[1:])[4]["rewards"]


class SeatRows(Joint):
    def __init__(self, **keywords: Any) -> None:
        self.env = vector_env(GAME, 2, seat=1, partners="Gradual", **keywords)
        self.env.reset(seed=0)

    def play(self, levels: Any) -> Any:
        return self.env.step([GOOD[1:], levels[1:]])[4]["rewards"][1]


every_interface = pytest.mark.parametrize("interface", [Joint, Parallel, Alternating, Vector, Torch, Seat, SeatRows])


@every_interface
@pytest.mark.parametrize(
    ("level", "problem"),
    [
        (float("nan"), "the action nan of agent_1.*is not a finite number"),
        (float("inf"), "the action inf of agent_1.*is not a finite number"),
        (-float("inf"), "the action -inf of agent_1.*is not a finite number"),
        (80.1, r"the action 80.1 of agent_1.*lies outside \[0, 80\]"),
        (-0.1, r"the action -0.1 of agent_1.*lies outside \[0, 80\]"),
    ],
)
def test_an_unplayable_action_is_refused_and_the_episode_goes_on(
    interface: Callable[..., Joint], level: float, problem: str
) -> None:
    plain, disturbed = interface(), interface()
    for _ in range(3):
        expected = plain.play(GOOD)
        with pytest.raises(ValueError, match=rf"{GAME}: {problem}.*expected units of endowment.*clip or rescale"):
            disturbed.play([GOOD[0], level])
        np.testing.assert_array_equal(disturbed.play(GOOD), expected)


@every_interface
def test_rounding_of_single_precision_is_not_out_of_range(interface: Callable[..., Joint]) -> None:
    exact, rounded, below = interface(), interface(), interface()
    np.testing.assert_array_equal(rounded.play([100.0, 80.00001]), exact.play([100.0, 80.0]))
    assert np.isfinite(below.play([0.0, -1e-6])).all()


def test_a_refused_action_draws_no_random_numbers() -> None:
    plain, disturbed = Joint(payoff_noise=0.5), Joint(payoff_noise=0.5)
    with pytest.raises(ValueError, match="nan"):
        disturbed.play([40.0, float("nan")])
    np.testing.assert_array_equal(disturbed.play(GOOD), plain.play(GOOD))


def test_the_message_names_the_row_of_a_batch() -> None:
    with pytest.raises(ValueError, match=r"the action nan of agent_1 of row \(1,\)"):
        Vector().play([40.0, float("nan")])
    torch = pytest.importorskip("torch")
    env = torch_env(GAME, (2, 3))
    env.reset(seed=0)
    actions = torch.full((2, 3, 2), 10.0)
    actions[1, 2, 0] = 101.0
    with pytest.raises(ValueError, match=r"the action 101.0 of agent_0 of row \(1, 2\) lies outside \[0, 100\]"):
        env.step(actions)


@pytest.mark.parametrize("action", [[1.0], [1.0, 2.0, 3.0], 5.0, [[1.0, 2.0]], np.zeros((2, 1))])
def test_joint_actions_of_another_shape_are_refused(action: Any) -> None:
    env = Joint().env
    with pytest.raises(ValueError, match=rf"expected actions of shape \(2,\), got {re.escape(str(np.shape(action)))}"):
        env.step(action)
    env.step(GOOD)


@pytest.mark.parametrize("action", ["half", [None, 1.0], [[1.0], [2.0, 3.0]]])
def test_actions_that_are_no_numbers_are_refused(action: Any) -> None:
    env = Joint().env
    with pytest.raises(ValueError, match=r"actions must be numbers of shape \(2,\)|the action nan of agent_0"):
        env.step(action)
    env.step(GOOD)


@pytest.mark.parametrize("action", [[], [1.0, 2.0], [[1.0, 2.0]], "half", None, [None, 2.0]])
def test_actions_of_a_seat_are_one_number(action: Any) -> None:
    env = Seat().env
    with pytest.raises(ValueError, match=r"expected numbers of shape \(1,\) from agent_1|the action nan"):
        env.step(action)
    env.step([30.0])


@pytest.mark.parametrize("shape", [(2,), (1, 2), (3, 2), (2, 3), (2, 2, 1)])
def test_actions_of_a_vector_environment_have_a_row_each(shape: tuple[int, ...]) -> None:
    env = Vector().env
    with pytest.raises(ValueError, match=rf"expected actions of shape \(2, 2\), got {re.escape(str(shape))}"):
        env.step(np.zeros(shape))
    env.step([GOOD, GOOD])


@pytest.mark.parametrize("shape", [(3, 1), (2, 2), (1,), (2, 1, 1)])
def test_actions_of_seats_in_a_vector_environment_have_a_row_each(shape: tuple[int, ...]) -> None:
    env = SeatRows().env
    with pytest.raises(ValueError, match=r"expected numbers of shape \(2, 1\) from agent_1, got shape"):
        env.step(np.zeros(shape))
    env.step([[1.0], [2.0]])


# PettingZoo: who acts


@pytest.mark.parametrize(
    "actions",
    [
        {},
        {"agent_0": [1.0]},
        {"agent_0": [1.0], "agent_2": [1.0]},
        {"agent_0": [1.0], "agent_1": [1.0], "agent_2": [1.0]},
        [1.0, 2.0],
        None,
    ],
)
def test_parallel_actions_are_expected_from_every_agent_and_nobody_else(actions: Any) -> None:
    env = Parallel().env
    with pytest.raises(ValueError, match=r"expected a dictionary of actions for \['agent_0', 'agent_1'\], got"):
        env.step(actions)
    env.step(by_agent(env, GOOD))


@pytest.mark.parametrize("action", [[1.0, 2.0], "half", None, [None]])
def test_each_parallel_action_is_one_number(action: Any) -> None:
    env = Parallel().env
    with pytest.raises(ValueError, match=r"expected one number of shape \(1,\) per agent|the action nan of agent_1"):
        env.step({"agent_0": [1.0], "agent_1": action})
    env.step(by_agent(env, GOOD))


@pytest.mark.parametrize("action", [[1.0, 2.0], "half", None, [None]])
def test_each_alternating_action_is_one_number(action: Any) -> None:
    env = Alternating().env
    with pytest.raises(ValueError, match=r"expected numbers of shape \(1,\) from agent_0|the action nan of agent_0"):
        env.step(action)
    assert env.agent_selection == "agent_0"
    env.step([40.0])


def test_finished_agents_must_pass_none() -> None:
    env = aec_env(GAME, max_steps=1)
    env.reset(seed=0)
    for level in GOOD:
        env.step(level)
    assert env.last()[3]
    with pytest.raises(ValueError, match="None"):
        env.step(1.0)
    env.step(None)
    env.step(None)
    assert env.agents == []
    with pytest.raises(RuntimeError, match="the episode is over"):
        env.step(None)


# The order of calls

MAKERS: dict[str, Callable[..., Any]] = {
    "joint": lambda **keywords: joint_env(GAME, **keywords),
    "seat": lambda **keywords: seat_env(GAME, **keywords),
    "parallel": lambda **keywords: parallel_env(GAME, **keywords),
    "aec": lambda **keywords: aec_env(GAME, **keywords),
    "vector": lambda **keywords: vector_env(GAME, 2, control="joint", **keywords),
    "torch": lambda **keywords: torch_env(GAME, 2, **keywords),
}
every_maker = pytest.mark.parametrize("name", MAKERS)


def act(name: str, env: Any) -> None:
    actions = {"joint": GOOD, "seat": GOOD[:1], "aec": GOOD[0], "vector": [GOOD, GOOD]}
    if name == "parallel":
        env.step(by_agent(env, GOOD))
    elif name == "torch":
        torch = pytest.importorskip("torch")
        env.step(torch.tensor([GOOD, GOOD]))
    else:
        env.step(actions[name])


@every_maker
def test_a_step_before_the_first_reset_is_an_error(name: str) -> None:
    env = MAKERS[name]()
    with pytest.raises(RuntimeError, match=r"call reset\(\)"):
        act(name, env)
    env.reset(seed=0)
    act(name, env)


@pytest.mark.parametrize("name", ["joint", "seat", "parallel"])
def test_a_step_after_the_end_is_an_error(name: str) -> None:
    env = MAKERS[name](max_steps=2)
    env.reset(seed=0)
    act(name, env)
    act(name, env)
    with pytest.raises(RuntimeError, match=rf"{GAME}: the episode is over.*call reset\(\) before step\(\)"):
        act(name, env)
    env.reset()
    act(name, env)


@pytest.mark.parametrize("name", ["joint", "seat", "parallel", "aec"])
def test_there_is_nothing_to_draw_before_the_first_reset(name: str) -> None:
    with pytest.raises(RuntimeError, match=r"call reset\(\) before"):
        MAKERS[name](render_mode="ansi").render()


# Keywords


@every_maker
@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"reward": "coperative"}, ValueError, "unknown reward 'coperative'; did you mean 'cooperative'.*known forms"),
        ({"reward": "mutuality=2"}, ValueError, r"mutuality=2.0: expected a number in \[0, 1\]"),
        ({"reward": 0.5}, TypeError, "reward=0.5: expected a mode name, a RewardMode or Rewards"),
        ({"view": "all"}, ValueError, "view='all': expected one of own, full, minimal or None"),
        ({"gama": 2.0}, TypeError, f"{GAME} got an unexpected keyword argument 'gama'; did you mean 'gamma'"),
        ({"gamma": -1.0}, ValueError, "gamma=-1.0: expected finite values"),
        ({"max_steps": 0}, ValueError, "max_steps=0: expected"),
    ],
)
def test_keywords_are_checked(name: str, keywords: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MAKERS[name](**keywords)


@pytest.mark.parametrize("name", ["joint", "seat", "parallel", "aec"])
def test_render_modes_are_checked(name: str) -> None:
    # Gymnasium itself looks at the mode first and only warns; the environment refuses it.
    make = {"joint": partial(make_env, control="joint"), "seat": make_env}
    make |= {"parallel": parallel_env, "aec": aec_env}
    with pytest.raises(ValueError, match="render_mode='video': expected one of ansi, human, rgb_array or None"):
        make[name](GAME, render_mode="video")


@pytest.mark.parametrize("make", [parallel_env, aec_env, make_env, make_vector_env])
def test_unknown_games_are_errors(make: Any) -> None:
    with pytest.raises(ValueError, match="unknown game 'GiftExchnge-v1'; did you mean 'GiftExchange-v1'"):
        make("GiftExchnge-v1")
    with pytest.raises(gymnasium.error.UnregisteredEnv):
        gymnasium.make("coopgym/GiftExchnge-v1")


@pytest.mark.parametrize("make", [make_env, make_vector_env])
def test_controls_are_checked(make: Any) -> None:
    with pytest.raises(ValueError, match="control='both': expected 'seat' or 'joint'"):
        make(GAME, control="both")
    with pytest.raises(
        TypeError, match="unexpected keyword argument 'seat'; it is for control='seat', as a joint controller plays"
    ):
        make(GAME, control="joint", seat=1)


@pytest.mark.parametrize("make", [make_env, make_vector_env])
@pytest.mark.parametrize("seat", [-1, 2, 0.5, True, "0"])
def test_seats_are_checked(make: Any, seat: Any) -> None:
    with pytest.raises(ValueError, match=rf"seat={seat!r}: {GAME} has seats 0 to 1"):
        make(GAME, seat=seat)


@pytest.mark.parametrize("make", [make_env, make_vector_env])
def test_partners_are_checked(make: Any) -> None:
    with pytest.raises(ValueError, match=r"TitForTot.*TitForTat"):
        make(GAME, partners="TitForTot")
    with pytest.raises(ValueError, match="expected one partner or 1 partners, got 2"):
        make(GAME, partners=["TitForTat", "Random"])


@pytest.mark.parametrize("num_envs", [0, -1, 2.0, True, "two", None])
def test_numbers_of_environments_are_checked(num_envs: Any) -> None:
    pytest.importorskip("torch")
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    for make in (make_vector_env, torch_env, sb3.seat_vec_env):
        with pytest.raises(ValueError, match=rf"num_envs={num_envs!r}: expected a whole number of at least 1"):
            make(GAME, num_envs)


@pytest.mark.parametrize("sizes", [(), (0,), (2, 0), (2, 1.5)])
def test_shapes_of_torch_batches_are_checked(sizes: tuple[Any, ...]) -> None:
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"num_envs=.*: expected a whole number of at least 1"):
        torch_env(GAME, sizes)


def test_rewards_of_a_torch_batch_are_one_per_leading_entry() -> None:
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"got 2 rewards for a batch of shape \(3,\): expected one per leading entry"):
        torch_env(GAME, 3, reward=["private", "integrated"])


def test_a_reward_matrix_must_fit_the_game() -> None:
    with pytest.raises(ValueError, match=rf"reward matrix is 3×3, but {GAME} has 2 agents"):
        joint_env(GAME, reward="matrix=1,0,0;0,1,0;0,0,1")
    assert reward_layer("matrix=1,0;0,1").name == "matrix=1,0;0,1"


# Reset options


@every_maker
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trust": 0.5}, r"unknown reset options \['trust'\]; known: gamma, initial_trust"),
        ({"initial_trust": 1.5}, r"option initial_trust=1.5: expected finite numbers in \[0, 1\]"),
        ({"initial_trust": float("nan")}, "option initial_trust=nan: expected finite numbers"),
        ({"initial_reputation": "bad"}, "option initial_reputation='bad': expected numbers"),
        ({"initial_state": {"nothing": 1.0}}, f"{GAME} has no state 'nothing'.*it has .*wage"),
        ({"initial_state": {"wage": float("inf")}}, "option wage=inf: expected finite numbers"),
        ({"initial_state": {"wage": [0.1, 0.2, 0.3]}}, "cannot fill shape"),
        ({"initial_state": 3}, "option initial_state=3: expected a mapping"),
    ],
)
def test_reset_options_are_checked(name: str, options: dict[str, Any], message: str) -> None:
    env = MAKERS[name]()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.reset(options=options)
    act(name, env)  # the episode before goes on


def test_a_hidden_weight_is_set_only_where_there_is_one() -> None:
    with pytest.raises(ValueError, match=f"{GAME}.*gamma"):
        joint_env(GAME).reset(options={"gamma": 2.5})
    with pytest.raises(ValueError, match="option gamma=-1"):
        joint_env("SynergySearch-v1").reset(options={"gamma": -1})


def test_seeds_are_one_or_one_per_row() -> None:
    env = vector_env("SynergySearch-v1", 3, control="joint")
    with pytest.raises(ValueError, match="expected one seed or 3 seeds, got 2"):
        env.reset(seed=[1, 2])


@pytest.mark.parametrize("mask", [[True], [1, 0], np.array([False, False]), np.array([[True, False]]), "both"])
def test_reset_masks_are_checked(mask: Any) -> None:
    env = Vector().env
    with pytest.raises(ValueError, match="reset_mask: expected 2 booleans with at least one True"):
        env.reset(options={"reset_mask": mask})


def test_reset_masks_go_with_nothing_else() -> None:
    env, mask = MAKERS["vector"](), np.array([True, False])
    with pytest.raises(RuntimeError, match=r"call reset\(\) for all rows"):
        env.reset(options={"reset_mask": mask})
    env.reset(seed=0)
    with pytest.raises(ValueError, match="neither a seed nor other options"):
        env.reset(seed=1, options={"reset_mask": mask})
    with pytest.raises(ValueError, match="neither a seed nor other options"):
        env.reset(options={"reset_mask": mask, "initial_trust": 0.5})


def test_masks_of_torch_batches_are_checked() -> None:
    torch = pytest.importorskip("torch")
    env = torch_env(GAME, (2, 2))
    env.reset(seed=0)
    for mask in (torch.tensor([True, False]), torch.ones((2, 2)), torch.ones((4,), dtype=torch.bool)):
        with pytest.raises(ValueError, match=r"mask: expected booleans of shape \(2, 2\), got torch"):
            env.reset_where(mask)


def test_an_autoreset_mode_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="sometimes"):
        make_vector_env(GAME, 2, autoreset_mode="sometimes")


# Stable-baselines3


def test_stable_baselines_batches_check_their_actions() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    env = sb3.seat_vec_env(GAME, 2)
    env.reset()
    with pytest.raises(ValueError, match=r"expected actions of shape \(4, 1\), got \(2, 1\)"):
        env.step(np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"the action 2\.0 of agent_0"):
        env.step(np.full((4, 1), 2.0))
    env.step(np.zeros((4, 1)))
    with pytest.raises(AttributeError, match="cannot set 'view'"):
        env.set_attr("view", "full", indices=[0])
    with pytest.raises(AttributeError, match="cannot call 'reset'"):
        env.env_method("reset", indices=0)
    with pytest.raises(ValueError, match="render_mode='ansi': expected 'rgb_array' or None"):
        sb3.seat_vec_env(GAME, 2, render_mode="ansi")


# Missing extras


def test_torch_environments_say_how_to_get_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'coopgym[torch]'")):
        torch_env(GAME, 2)


def test_frames_say_how_to_get_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    env = joint_env(GAME, render_mode="rgb_array")
    env.reset(seed=0)
    monkeypatch.delitem(sys.modules, "coopgym.interfaces.picture", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'coopgym[render]'")):
        env.render()


def test_stable_baselines_batches_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "coopgym.interfaces.sb3", raising=False)
    monkeypatch.setitem(sys.modules, "stable_baselines3.common.vec_env", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'coopgym[sb3]'")):
        import coopgym.interfaces.sb3  # noqa: F401
