"""MAPPO: values judge the whole state and are told the seat, policies see no more than their own observation."""

from __future__ import annotations

import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.on_policy.mappo import MAPPO, MAPPOSeats

SMALL = MAPPO(hidden=(16,), num_envs=16)


def trained(learner: MAPPO = SMALL, game: str = "TeamProduction-v1") -> tuple[Trainer, MAPPOSeats]:
    """Make a trainer whose value networks count their inputs; at the start their last weights are almost zero."""
    trainer = Trainer(learner, environment_factory(game, None, None), cross(["private"], [0, 1]), torch.device("cpu"))
    seats = trainer.seats
    assert isinstance(seats, MAPPOSeats)
    seats.networks.value_head()[0].detach().normal_(generator=torch.Generator().manual_seed(0))
    return trainer, seats


def test_values_depend_on_the_state_and_on_nothing_else() -> None:
    trainer, seats = trained()
    block = trainer.collect()
    observation, state = seats.inputs(block)
    before = seats.networks.values(state)
    assert before.shape == observation.shape[:3]
    block.observation.zero_()
    assert torch.equal(seats.networks.values(seats.inputs(block)[-1]), before)
    needed(block.state)[..., 3] += 0.5  # the last share of the last seat
    after = seats.networks.values(seats.inputs(block)[-1])
    assert (after != before).any(-1).all()
    mean, _ = seats.networks.outputs(*seats.inputs(block))
    needed(block.state).zero_()
    assert torch.equal(seats.networks.outputs(*seats.inputs(block))[0], mean)


def test_a_shared_value_function_tells_the_seats_apart() -> None:
    for sharing in (True, False):
        trainer, seats = trained(MAPPO(hidden=(16,), num_envs=16, sharing=sharing))
        values = seats.networks.values(seats.inputs(trainer.collect())[-1])
        assert values.shape[1] == 4
        assert not torch.allclose(values[:, 0], values[:, 1])


def test_seats_of_a_team_have_one_value_and_seats_of_their_own_do_not() -> None:
    """By-time means of returns are the seats' own, or the same for all."""
    spread = []
    for learner in (MAPPO(num_envs=16, objective="team"), MAPPO(num_envs=16, objective="individual")):
        trainer, seats = trained(learner, "PlatformEcosystem-v1")
        trainer.learn(0.0)
        means = seats.value_scale.mean
        spread.append((means.std(1).mean() / means.abs().mean()).item())
    assert spread[0] < 1e-3  # networks of a few thousandths bootstrap the rest of the episode
    assert spread[1] > 0.1


def test_blocks_end_in_mid_episode_with_the_value_of_the_last_state() -> None:
    trainer, seats = trained()
    block = trainer.collect()
    values = seats.value(seats.inputs(block)[-1], block.time.flatten(1)).view_as(block.signal)
    following = seats.next_values(block, values)
    assert torch.equal(following[:, :, :-1], values[:, :, 1:])
    last = seats.value(needed(block.last_state), block.last_time.flatten(1))
    assert torch.equal(following[:, :, -1], last)
