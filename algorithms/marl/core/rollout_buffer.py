"""Rollout blocks: preallocated on the device, refilled in place, their samples reordered and rescaled.

Shapes: R replicas, N seats, T steps, B environment copies, S samples, O entries of what a seat sees, that is of all
observations of its history, G entries of the compact state.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.common.learner_contract import Objective
from coopgym.algorithms.marl.core.environment import (
    Environment,
    compact_state,
    objective_signal,
    observation_map,
    restore_rewards,
    reward_state,
)
from coopgym.algorithms.marl.core.observation_history import ObservationHistory
from coopgym.games.state import State, state_arrays

_STOCK, _REWARD = "state.", "reward."


@dataclass(frozen=True, eq=False)
class Rollout:
    """One block of experience."""

    observation: Tensor
    """``(R, N, T, B, O)`` in [-1, 1]."""
    signal: Tensor
    """``(R, N, T, B)`` training signal of the objective divided by the reward scale."""
    reward: Tensor
    """``(R, N, T, B)`` rewards in the game's units."""
    payoff: Tensor
    """``(R, N, T, B)`` material payoffs."""
    share: Tensor
    """``(R, N, T, B)`` shares of endowment played."""
    joint_share: Tensor
    """``(R, N, T, B)`` the shares of all seats, also in a block that is restricted to some."""
    terminal: Tensor
    """``(R, 1, T, B)`` nothing follows this step."""
    ended: Tensor
    """``(R, 1, T, B)`` the episode ended with this step, for any reason."""
    time: Tensor
    """``(R, T, B)`` steps since the start of the episode."""
    last_observation: Tensor
    """``(R, N, 1, B, O)`` what is seen after the last step."""
    last_time: Tensor
    """``(R, 1, B)`` steps since the start of the episode after the last step."""
    final_observation: Tensor | None
    """``(R, N, T, B, O)`` what is seen after each step, before any restart; kept only to bootstrap truncations."""
    state: Tensor | None = None
    """``(R, T, B, G)`` compact global state before each step; this and the next two only where a learner needs it."""
    last_state: Tensor | None = None
    """``(R, 1, B, G)`` the compact state after the last step."""
    final_state: Tensor | None = None
    """``(R, T, B, G)`` as ``final_observation``."""

    def of(self, seats: Sequence[int]) -> Rollout:
        """Return the block as some of the seats see it: their own entries, and all that is joint."""
        if list(seats) == list(range(self.observation.shape[1])):
            return self
        own = ("observation", "signal", "reward", "payoff", "share", "last_observation", "final_observation")
        index = torch.tensor(seats, device=self.signal.device)
        found = {name: getattr(self, name) for name in own}
        chosen = {name: tensor.index_select(1, index) for name, tensor in found.items() if tensor is not None}
        return dataclasses.replace(self, **chosen)

    def next_values(self, value: Callable[[Tensor, Tensor], Tensor], values: Tensor) -> Tensor:
        """Return V(s_{t+1}) ``(R, N, T, B)`` of a function of observations; at ends of episodes, of the last one.

        Args:
            value: the value function: observations ``(R, N, S, O)`` and times ``(R, S)`` to values ``(R, N, S)``.
            values: V(s_t) of this block, ``(R, N, T, B)``.
        """
        final, last = self.final_observation, self.last_observation
        return self._following(value, values, None if final is None else final.flatten(2, 3), last.flatten(2, 3))

    def next_state_values(self, value: Callable[[Tensor, Tensor], Tensor], values: Tensor) -> Tensor:
        """Return V(s_{t+1}) ``(R, N, T, B)`` of a function of compact states; at ends of episodes, of the last one.

        Args:
            value: the value function: states ``(R, S, G)`` and times ``(R, S)`` to values ``(R, N, S)``.
            values: V(s_t) of this block, ``(R, N, T, B)``.
        """
        final, last = self.final_state, needed(self.last_state)
        return self._following(value, values, None if final is None else final.flatten(1, 2), last.flatten(1, 2))

    def _following(
        self, value: Callable[[Tensor, Tensor], Tensor], values: Tensor, final: Tensor | None, last: Tensor
    ) -> Tensor:
        if final is not None:
            return value(final, self.time.flatten(1) + 1).view_as(values)
        return torch.cat([values[:, :, 1:], value(last, self.last_time.flatten(1)).unsqueeze(2)], dim=2)


def needed(tensor: Tensor | None) -> Tensor:
    """Return what a learner that sets ``needs_state`` finds in its blocks."""
    if tensor is None:
        raise ValueError("the block carries no compact state; the learner's class must set needs_state = True")
    return tensor


class Collector:
    """Steps the environments of all replicas and records blocks; nothing leaves the device.

    Args:
        environment: a batch ``(R, B)`` of episodes.
        scale: ``(R,)`` what training signals are divided by.
        steps: steps per block; None takes one full episode.
        objective: whose reward a seat is trained on.
        bootstrap_truncation: whether a step that reaches the horizon still has a future.
        device: where everything lives.
        seeds: one environment seed per row, R·B of them.
        needs_state: whether to record the compact global state.
        history: observations that a seat sees at once.
        seats: those whose play the environment asks for, N of them; None for all of the game.
    """

    def __init__(
        self,
        environment: Environment,
        scale: Tensor,
        *,
        steps: int | None,
        objective: Objective,
        bootstrap_truncation: bool,
        device: torch.device,
        seeds: Sequence[int],
        needs_state: bool = False,
        history: int = 1,
        seats: Sequence[int] | None = None,
    ) -> None:
        self.environment = environment
        self.objective = objective
        self._scale = scale.to(device, torch.float32).view(-1, 1, 1)
        self._seen = environment.reset(seed=seeds)  # (R, B, N, O)

        spec = environment.game.spec
        own = slice(None) if seats is None else list(seats)
        gain, offset = observation_map(environment)
        self._gain = torch.as_tensor(gain[own], dtype=torch.float32, device=device).unsqueeze(1)  # (N, 1, O)
        self._offset = torch.as_tensor(offset[own], dtype=torch.float32, device=device).unsqueeze(1)
        self._endowments = torch.tensor(spec.endowments[own], dtype=torch.float32, device=device)

        self._action_scale = torch.as_tensor(environment.game.action_scale, dtype=torch.float32, device=device)

        self._history = ObservationHistory(history)
        inputs = self._history.push(self._normalise(self._seen)).shape[-1]
        replicas, copies, played, _ = self._seen.shape
        shape = (replicas, played, steps or spec.horizon, copies)

        def block(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        ended = block(shape[0], 1, *shape[2:], dtype=torch.bool)
        share, entries = block(*shape), self._compact(environment.state).shape[-1]
        self.rollout = Rollout(
            observation=block(*shape, inputs),
            signal=block(*shape),
            reward=block(*shape),
            payoff=block(*shape),
            share=share,
            joint_share=share,
            terminal=torch.zeros_like(ended) if bootstrap_truncation else ended,
            ended=ended,
            time=block(shape[0], *shape[2:], dtype=torch.int64),
            last_observation=block(*shape[:2], 1, copies, inputs),
            last_time=block(shape[0], 1, copies, dtype=torch.int64),
            final_observation=block(*shape, inputs) if bootstrap_truncation else None,
            state=block(replicas, *shape[2:], entries) if needs_state else None,
            last_state=block(replicas, 1, copies, entries) if needs_state else None,
            final_state=block(replicas, *shape[2:], entries) if needs_state and bootstrap_truncation else None,
        )
        self.shape = shape
        """``(R, N, T, B)``."""
        self.inputs, self.state_size = inputs, entries

    @torch.no_grad()
    def collect(self, act: Callable[[int, Tensor], Tensor], forget: Callable[[Tensor], None] | None = None) -> Rollout:
        """Fill and return the block.

        Args:
            act: chooses shares of endowment ``(R, N, B)`` at step t of the block from observations ``(R, N, B, O)``.
            forget: told after every step which episodes ended with it, ``(R, B)``.
        """
        block, elapsed = self.rollout, self.rollout.last_time[:, 0]
        for t in range(self.shape[2]):
            observation = block.observation[:, :, t]
            observation.copy_(self._history.push(self._normalise(self._seen), _starts(elapsed)))
            if block.state is not None:
                block.state[:, t] = self._compact(self.environment.state)
            share = act(t, observation)
            block.share[:, :, t] = share
            self._seen, reward, terminated, truncated, info = self.environment.step(
                share.transpose(1, 2) * self._endowments
            )
            block.reward[:, :, t] = reward.transpose(1, 2)
            block.payoff[:, :, t] = info["payoffs"].transpose(1, 2)
            signal = objective_signal(reward, self.objective).transpose(1, 2)
            torch.div(signal, self._scale, out=block.signal[:, :, t])
            ended = torch.logical_or(terminated, truncated, out=block.ended[:, 0, t])
            block.time[:, t] = elapsed
            elapsed.add_(1).masked_fill_(ended, 0)
            if forget is not None:
                forget(ended)
            if block.final_observation is not None:
                block.terminal[:, 0, t] = terminated
                block.final_observation[:, :, t] = self._history.then(self._normalise(info["final_observation"]))
            if block.final_state is not None:
                block.final_state[:, t] = self._compact(info["final_state"])
        block.last_observation[:, :, 0] = self._history.then(self._normalise(self._seen), _starts(elapsed))
        if block.last_state is not None:
            block.last_state[:, 0] = self._compact(self.environment.state)
        return block

    def reseed(self, seeds: Sequence[int]) -> None:
        """Go on with the episodes in progress, but with new random streams: one seed per row, R·B of them."""
        state, paid = self.environment.state, reward_state(self.environment)
        self.environment.reset(seed=seeds)
        self.environment.state = state
        restore_rewards(self.environment, paid)

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs, except the environment's random streams."""
        state = self.environment.state
        stocks = {f"{_STOCK}{name}": array for name, array in state_arrays(state).items()}
        paid = {f"{_REWARD}{name}": tensor for name, tensor in reward_state(self.environment).items()}
        return {"seen": self._seen, "elapsed": self.rollout.last_time, **self._history.state(), **stocks, **paid}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self._seen = state["seen"].to(self._seen.device)
        self._history.restore(state, self._seen.device)
        self.rollout.last_time.copy_(state["elapsed"])
        stocks, paid = (
            {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
            for prefix in (_STOCK, _REWARD)
        )
        restore_rewards(self.environment, paid)
        now = self.environment.state
        alike = {name: tensor.to(getattr(now, name)) for name, tensor in stocks.items()}
        self.environment.state = dataclasses.replace(now, **alike)

    def _compact(self, state: State) -> Tensor:
        return compact_state(state, self._action_scale, self.environment.game.spec.horizon)

    def _normalise(self, observation: Tensor) -> Tensor:
        """Return observations ``(R, B, N, ·)`` as ``(R, N, B, ·)``, scaled to [-1, 1]."""
        return torch.addcmul(self._offset, observation.transpose(1, 2), self._gain)


def _starts(elapsed: Tensor) -> Tensor:
    """Return where an episode starts ``(R, 1, B, 1)``, given the steps since then, ``(R, B)``."""
    return (elapsed == 0)[:, None, :, None]


def standardised(samples: Tensor) -> Tensor:
    """Bring samples ``(R, N, S)`` to mean 0 and standard deviation 1 along the last dimension.

    Raises:
        ValueError: a single sample, which would become 0 whatever it is.
    """
    if samples.shape[-1] < 2:
        raise ValueError("a block of one sample has no advantage over others; raise num_envs or rollout_steps")
    centred = samples - samples.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True).sqrt() + 1e-8)


def reordered(samples: Tensor, order: Tensor) -> Tensor:
    """Reorder samples ``(R, N, S, ...)``, or pick some, by each replica's own order ``(R, ·)``, for all seats alike."""
    r, n, s = samples.shape[:3]
    rows = order.unsqueeze(1) + s * torch.arange(r * n, device=order.device).view(r, n, 1)
    return samples.flatten(0, 2).index_select(0, rows.flatten()).unflatten(0, (r, n, -1))


def sequences(samples: Tensor, chosen: Tensor, copies: int) -> Tensor:
    """Return the samples ``(R, N, L·M, ...)`` of M chosen copies, whole and in the order of time.

    Args:
        samples: of L steps of all copies, ``(R, N, L·B, ...)``.
        chosen: each replica's own copies ``(R, M)``, the same for all seats.
        copies: B.
    """
    steps = torch.arange(samples.shape[2] // copies, device=chosen.device).view(-1, 1)
    return reordered(samples, (copies * steps + chosen.unsqueeze(1)).flatten(1))
