"""Replay against a plain list of everything pushed, and what off-policy learners make of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.replay_buffer import ReplayBuffer
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.off_policy_loop import transitions
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.off_policy.maddpg import MADDPG, MADDPGSeats

CPU = torch.device("cpu")
SMALL = MADDPG(hidden=(8,), num_envs=8, rollout_steps=6, buffer_size=800, batch_size=16, learning_starts=48, n_steps=1)


@settings(max_examples=60, deadline=None)
@given(
    copies=st.integers(1, 4),
    steps=st.integers(2, 7),
    spare=st.integers(0, 3),
    pushes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
def test_replay_keeps_the_last_transitions_in_order(copies: int, steps: int, spare: int, pushes: list[int]) -> None:
    replay = ReplayBuffer(2, steps * copies + min(spare, copies - 1), copies, {"number": (), "pair": (2, 1)}, CPU)
    history: list[int] = []
    for pushed in pushes:
        new = torch.arange(len(history), len(history) + pushed * copies, dtype=torch.float32)
        history += new.int().tolist()
        both = torch.stack([new, -new])
        replay.push({"number": both, "pair": both[..., None, None].expand(-1, -1, 2, 1)})
    kept = history[-steps * copies :]
    assert replay.size == max(len(kept) - copies, 0)
    if replay.size:
        every = torch.arange(replay.size).expand(2, -1)
        now, following = replay.fetch(every), replay.fetch(every, 1)
        assert now["number"][0].int().tolist() == kept[: replay.size]
        assert torch.equal(following["number"], now["number"] + copies * torch.tensor([[1.0], [-1.0]]))
        assert torch.equal(now["pair"], now["number"][..., None, None].expand(-1, -1, 2, 1))
    again = ReplayBuffer(2, replay.capacity, copies, {"number": (), "pair": (2, 1)}, CPU)
    again.restore(replay.state())
    assert again.size == replay.size
    if replay.size:
        index = torch.randint(replay.size, (2, 5))
        assert torch.equal(again.fetch(index, 1)["pair"], replay.fetch(index, 1)["pair"])


def test_a_buffer_needs_room_for_a_step_and_what_follows() -> None:
    with pytest.raises(ValueError, match="buffer_size=15: expected room for 4 steps of 4 copies"):
        ReplayBuffer(1, 15, 4, {"number": ()}, CPU, ahead=3)


def trainer(settings: MADDPG = SMALL, game: str = "TrustDilemma-v1") -> tuple[Trainer, MADDPGSeats]:
    made = Trainer(settings, environment_factory(game, None, None), cross(["private"], [0, 1]), CPU)
    assert isinstance(made.seats, MADDPGSeats)
    return made, made.seats


def test_batches_hold_what_happened() -> None:
    made, seats = trainer()
    block = made.collect()
    seats.replay.push(transitions(block))
    index = torch.tensor([[0, 9, 17], [3, 8, 39]])  # step and copy: divide by 8
    batch = seats.batch(index)
    for r in range(2):
        for m, (t, b) in enumerate(divmod(int(i), 8) for i in index[r]):
            assert torch.equal(batch.observation[r, :, m], block.observation[r, :, t, b])
            assert torch.equal(batch.next_observation[r, :, m], block.observation[r, :, t + 1, b])
            assert torch.allclose(batch.level[r, :, m], 2.0 * block.share[r, :, t, b] - 1.0)
            assert torch.equal(batch.signal[r, :, m], block.signal[r, :, t, b])
            assert torch.equal(needed(batch.next_state)[r, m], needed(block.state)[r, t + 1, b])
            assert batch.time[r, m] == t


@pytest.mark.parametrize("bootstrap", [False, True])
def test_what_follows_the_end_of_an_episode(bootstrap: bool) -> None:
    """Nothing, or the state before the restart: never the start of the next episode."""
    settings = MADDPG(
        hidden=(8,), num_envs=4, rollout_steps=101, buffer_size=808, bootstrap_truncation=bootstrap, n_steps=1
    )
    made, seats = trainer(settings)
    block = made.collect()
    seats.replay.push(transitions(block))
    batch = seats.batch(torch.full((2, 1), 99 * 4))
    assert batch.discount.unique().item() == pytest.approx(settings.gamma * bootstrap)
    if bootstrap:
        assert needed(batch.next_state)[..., -1].unique().item() == 1.0  # time, as a share of the horizon
        assert torch.equal(batch.next_observation[:, :, 0], needed(block.final_observation)[:, :, 99, 0])


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_targets_add_up_n_steps_or_those_until_the_end(n: int, bootstrap: bool) -> None:
    """Against a plain loop over a ring that has turned over, with ends of both kinds inside."""
    gamma, copies, steps, pushed = 0.9, 3, 20, 27
    settings = MADDPG(
        hidden=(8,), num_envs=copies, buffer_size=copies * steps, gamma=gamma, n_steps=n, bootstrap_truncation=bootstrap
    )
    made, seats = trainer(settings)
    made.collect()
    inputs, entries = seats.context.inputs, seats.context.state_size
    shape = 2, pushed * copies
    ended = torch.rand(shape) < 0.2
    terminal = ended & (torch.rand(shape) < 0.5) if bootstrap else ended
    history = {
        "observation": torch.randn(*shape, 2, inputs),
        "final_observation": torch.randn(*shape, 2, inputs),
        "state": torch.randn(*shape, entries),
        "final_state": torch.randn(*shape, entries),
        "level": torch.randn(*shape, 2),
        "signal": torch.randn(*shape, 2),
        "time": torch.randint(50, shape).float(),
        "goes_on": ~terminal,
        "ended": ended,
    }
    seats.replay.push(history)
    assert seats.replay.size == (steps - n) * copies
    seats.steady.calibrate(torch.tensor([1.0, 3.0]).view(1, 2, 1).expand(2, -1, -1))
    value = torch.randn(2, 2, seats.replay.size)
    batch = seats.batch(torch.arange(seats.replay.size).expand(2, -1))
    found = seats.target(batch, value)
    for r, seat, m in np.ndindex(*value.shape):
        first = row = (pushed - steps) * copies + m
        goal, k = history["signal"][r, row, seat].clone(), 1
        while k < n and not ended[r, row]:
            row += copies
            goal += gamma**k * history["signal"][r, row, seat]
            k += 1
        time = batch.time[:, m : m + 1]
        if not terminal[r, row]:
            goal += gamma**k * (value[r, seat, m] + seats.steady(time + k)[r, seat, 0])
            source, place = ("final_", row) if bootstrap else ("", row + copies)
            assert torch.equal(batch.next_observation[r, seat, m], history[f"{source}observation"][r, place, seat])
            assert torch.equal(needed(batch.next_state)[r, m], history[f"{source}state"][r, place])
        goal -= seats.steady(time)[r, seat, 0]
        assert torch.equal(batch.level[r, seat, m], history["level"][r, first, seat])
        assert found[r, seat, m] == pytest.approx(goal.item(), abs=1e-4)


def test_the_first_actions_are_uniform_and_updates_wait_for_them() -> None:
    made, seats = trainer(MADDPG(hidden=(8,), num_envs=64, rollout_steps=20, learning_starts=1280, batch_size=16))
    first = made.collect().share.flatten()
    assert np.allclose(np.quantile(first, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.04)
    made.learn(0.0)
    assert (seats.warming_up, seats.gradient_updates) == (False, 1280 // 16)
    second = made.collect(progress=0.99).share.flatten()
    assert second.std() < 0.1


def test_updates_keep_pace_with_experience_whatever_the_block() -> None:
    for steps in (5, 24):
        made, seats = trainer(
            MADDPG(hidden=(8,), num_envs=8, rollout_steps=steps, learning_starts=0, batch_size=4, n_steps=1)
        )
        for _ in range(120 // steps):
            made.learn(0.0)
        assert seats.gradient_updates == 120 * 8 // 16
