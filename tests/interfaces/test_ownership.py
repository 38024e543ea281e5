"""Arrays that are handed out are the receiver's: whoever spoils them all plays on like a twin who leaves them alone."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

import coopgym
from tests.interfaces.playing import (
    aec_env,
    by_agent,
    joint_env,
    parallel_env,
    random_actions,
    seat_env,
    torch_env,
    vector_env,
)

STEPS, HORIZON = 8, 6
GAMES = (
    *("CoalitionFormation-v1", "SynergySearch-v1"),
    *("TrustDilemma-v0", "AppleAppStore-v0"),
)
MODES = ("private", "cooperative")
GARBAGE = 0.123

Course = Callable[..., Iterator[Any]]
"""Yields all that is handed out, step by step."""


def through_joint(id: str, actions: Any, **keywords: Any) -> Iterator[Any]:
    env = joint_env(id, scalar_reward=False, **keywords)
    yield env.reset(seed=0)
    for action in actions:
        step = env.step(action)
        yield step, action
        if step[2] or step[3]:
            yield env.reset()


def through_seat(id: str, actions: Any, **keywords: Any) -> Iterator[Any]:
    env = seat_env(id, partners="TitForTat", **keywords)
    yield env.reset(seed=0)
    for action in actions:
        own = action[:1]
        step = env.step(own)
        yield step, own
        if step[2] or step[3]:
            yield env.reset()


def through_vector(id: str, actions: Any, *, control: str, autoreset_mode: str, **keywords: Any) -> Iterator[Any]:
    env = vector_env(id, 3, control=control, autoreset_mode=autoreset_mode, **keywords)
    width = 1 if control == "seat" else None
    options = {"initial_trust": np.full(3, 0.6)}
    yield env.reset(seed=0, options=options), options
    for action in actions:
        batch = np.stack([action, 0.5 * action, 0.9 * action])[:, :width]
        yield env.step(batch), batch


def through_parallel(id: str, actions: Any, **keywords: Any) -> Iterator[Any]:
    env = parallel_env(id, **keywords)
    yield env.reset(seed=0), env.state()
    for action in actions:
        given = by_agent(env, action)
        yield env.step(given), given, env.state()
        if not env.agents:
            yield env.reset()


def through_aec(id: str, actions: Any, **keywords: Any) -> Iterator[Any]:
    env = aec_env(id, **keywords)
    env.reset(seed=0)
    for action in actions:
        for level in action:
            given = np.array([level])
            yield env.last(), [env.observe(agent) for agent in env.possible_agents], env.state()
            env.step(given)
            yield given
        if any(env.truncations.values()) or any(env.terminations.values()):
            env.reset()


def through_torch(id: str, actions: Any, **keywords: Any) -> Iterator[Any]:
    torch = pytest.importorskip("torch")
    env = torch_env(id, 3, dtype=torch.float64, **keywords)
    yield env.reset(seed=0), env.state
    for step, action in enumerate(actions):
        batch = torch.stack([torch.tensor(action), 0.5 * torch.tensor(action), 0.9 * torch.tensor(action)])
        yield env.step(batch), batch, env.state
        if step % 5 == 4:
            assigned = env.state
            env.state = assigned
            yield assigned, env.reset_where(torch.tensor([True, False, False]))


def through_sb3(id: str, actions: Any, **keywords: Any) -> Iterator[Any]:
    pytest.importorskip("stable_baselines3")
    from coopgym.interfaces.sb3 import seat_vec_env

    env = seat_vec_env(id, 2, **keywords)
    env.seed(0)
    yield env.reset()
    for action in actions:
        slots = (np.tile(action, 2) / action.max() - 0.5)[:, None].astype(np.float32)
        yield env.step(slots), slots


def through_text(id: str, actions: Any, reward: str, max_steps: int) -> Iterator[Any]:
    match = coopgym.text_env(id, parameters={"max_steps": max_steps}, reward=reward, decisions=None)
    for action in actions[:HORIZON]:
        if match.finished:
            return
        match = match.restore(match.snapshot())
        match.send(0, f'{{"tool": "submit", "arguments": {{"level": {action[0] / actions.max():.2f}}}}}')
        yield vars(match.outcome(0)), match.prompt(0)


COURSES: Mapping[str, Course] = {
    "joint": through_joint,
    "seat": through_seat,
    "parallel": through_parallel,
    "aec": through_aec,
    "torch": through_torch,
    "sb3": through_sb3,
    "text": through_text,
    **{
        f"vector_{control}_{mode}": lambda *args, c=control, m=mode, **keywords: through_vector(
            *args, control=c, autoreset_mode=m, **keywords
        )
        for control in ("joint", "seat")
        for mode in ("NextStep", "SameStep")
    },
}


def arrays(given: Any) -> Iterator[Any]:
    """Every array in a nest of containers."""
    if isinstance(given, np.ndarray) and given.dtype == object:
        yield from arrays(list(given))
    elif isinstance(given, np.ndarray) or type(given).__module__ == "torch":
        yield given
    elif dataclasses.is_dataclass(given) and not isinstance(given, type):
        yield from arrays(vars(given))
    elif isinstance(given, Mapping):
        yield from arrays(list(given.values()))
    elif isinstance(given, list | tuple):
        for each in given:
            yield from arrays(each)


def copied(array: Any) -> Any:
    return array.copy() if isinstance(array, np.ndarray) else array.numpy().copy()


def spoil(given: Any) -> None:
    """Fill every array with garbage, once it is seen that none lies in the memory of another."""
    found = [np.asarray(array) for array in arrays(given) if array.ndim]  # those of torch are looked at where they lie
    for array in found:
        assert array.flags.writeable, "read-only"
    for one, other in itertools.combinations(found, 2):
        assert not np.shares_memory(one, other), "two arrays of one step share memory"
    for array in found:
        array[...] = GARBAGE


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("game_id", GAMES)
@pytest.mark.parametrize("interface", COURSES)
def test_spoiling_what_is_handed_out_changes_nothing_that_follows(interface: str, game_id: str, mode: str) -> None:
    def told(spoiled: bool) -> list[Any]:
        seen = []
        actions = random_actions(game_id, STEPS)
        for given in COURSES[interface](game_id, actions, reward=mode, max_steps=HORIZON):
            seen.append([copied(array) for array in arrays(given)])
            if spoiled:
                spoil(given)
        return seen

    for expected, got in zip(told(False), told(True), strict=True):
        for one, other in zip(expected, got, strict=True):
            np.testing.assert_array_equal(other, one)
