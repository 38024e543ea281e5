"""Torch environments work the same whatever mode, default type and default device torch is in."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from tests.interfaces.playing import GAMES, MODES, every_game, torch_env

torch = pytest.importorskip("torch")

Mode = Callable[[], AbstractContextManager[Any]]
COPIES, STEPS = 2, 4
GRADIENTS: dict[str, Mode] = {
    "plain": nullcontext,
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
}


@pytest.fixture
def torch_defaults():
    """Put torch's defaults back after a test that changes them."""
    dtype = torch.get_default_dtype()
    yield
    torch.set_default_dtype(dtype)
    torch.set_default_device(None)


def made(game_id: str, **keywords: Any) -> Any:
    ends_early = {"end_on_dissolution": True} if game_id == "TrustDilemma-v1" else {}
    return torch_env(game_id, (len(MODES), COPIES), reward=MODES, max_steps=3, **ends_early, **keywords)


def shares(env: Any) -> Any:
    generator = torch.Generator().manual_seed(0)
    size = (STEPS, *env.batch, env.game.n_agents)
    return torch.rand(size, generator=generator, dtype=env.game.backend.dtype, device="cpu")


def slope(env: Any, actions: Any) -> Any:
    """The gradient of a step's rewards and of what is seen after it."""
    actions = actions.clone().requires_grad_()
    observation, rewards, _, _, info = env.step(actions)
    (rewards.sum() + observation.sum() + info["final_observation"].sum()).backward()
    return actions.grad


@pytest.mark.parametrize(
    ("making", "starting", "playing"),
    [
        ("inference", "plain", "plain"),
        ("plain", "inference", "plain"),
        ("plain", "plain", "inference"),
        ("inference", "inference", "inference"),
        ("no_grad", "no_grad", "no_grad"),
        ("inference", "no_grad", "plain"),
    ],
)
def test_what_began_in_another_mode_goes_on_with_gradients(making: str, starting: str, playing: str) -> None:
    """Whatever is made, started and played where, the play and its gradient are those of a plain one."""
    for game_id in ("TrustDilemma-v1", "DynamicPartnerSelection-v1", "CoalitionFormation-v0", "SynergySearch-v0"):
        with GRADIENTS[making]():
            env = made(game_id)
        with GRADIENTS[starting]():
            env.reset(seed=0)
        plain = made(game_id)
        plain.reset(seed=0)
        *before, last = shares(env) * plain.game.endowments
        for actions in before:
            with GRADIENTS[playing]():
                seen = env.step(actions)[0]
            torch.testing.assert_close(seen, plain.step(actions)[0], rtol=0, atol=0)
        torch.testing.assert_close(slope(env, last), slope(plain, last), rtol=0, atol=0)


@every_game
def test_games_made_and_first_played_in_inference_mode_have_gradients_afterwards(game_id: str) -> None:
    with torch.inference_mode():
        env = made(game_id)
        env.reset(seed=0)
        env.step(shares(env)[0] * env.game.endowments)
        again = pickle.loads(pickle.dumps(env.game))
    assert torch.isfinite(slope(env, shares(env)[1] * env.game.endowments)).all()
    assert not any(value.is_inference() for value in vars(again).values() if isinstance(value, torch.Tensor))


@pytest.mark.parametrize(("default", "dtype"), [(torch.float64, torch.float32), (torch.bfloat16, torch.float64)])
@pytest.mark.usefixtures("torch_defaults")
def test_default_types_and_devices_change_nothing(default: Any, dtype: Any) -> None:
    """Nothing can be computed on the device ``meta``: a tensor that went there by default would be noticed."""
    for game_id in GAMES:
        plain = made(game_id, dtype=dtype)
        expected = [plain.reset(seed=0)]
        actions = shares(plain) * plain.game.endowments
        expected += [part for action in actions for part in plain.step(action)[:4]]

        torch.set_default_dtype(default)
        torch.set_default_device("meta")
        env = made(game_id, dtype=dtype)
        seen = [env.reset(seed=0)]
        seen += [part for action in actions for part in env.step(action)[:4]]
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
        for one, other in zip(seen, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)
