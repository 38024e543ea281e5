"""Device-resident batches of a game as torch tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from coopgym.backend import torch_backend
from coopgym.games.game import Transition, checked_view
from coopgym.games.registry import make_game
from coopgym.games.state import State, map_arrays
from coopgym.interfaces.spaces import checked_num_envs
from coopgym.play.engine import Engine, Seeds, checked_options
from coopgym.rewards import RewardLayer

if TYPE_CHECKING:
    import torch

P = ParamSpec("P")
R = TypeVar("R")


class TorchEnv:
    """A batch of environments on one device; finished rows start anew in the same step.

    Arrays lead with ``batch``: actions ``(*batch, N)``, observations ``(*batch, N, obs_dim)``, rewards and payoffs
    ``(*batch, N)``, flags ``(*batch)``. Gradients flow from rewards to actions within a step.

    Inference mode, ``no_grad`` and torch's default type and device may change between any two calls: what is made or
    played in inference mode can be played on with gradients, and all tensors are of the type and on the device asked
    for.

    Args:
        id: for example ``"PublicGoods-v1"``.
        num_envs: number of rows, or the shape of the batch, such as (replicas, copies).
        device: a torch device or its name.
        reward: text, a mode or `Rewards`, or a sequence of them, one per entry of the leading batch dimension.
        view: ``"own"``, ``"full"``, ``"minimal"`` or None for the game's default.
        actions: ``"symmetric"``, ``"share"`` or ``"units"``, as in `coopgym.interfaces.gymnasium.make_env`.
        dtype: ``torch.float32`` (None) or ``torch.float64``.
        compile: fuse the step with ``torch.compile``; not with rewards that are learned.
        validate: check every action, which on a GPU waits for the device once per step.
        parameters: keywords of the game.

    Raises:
        ImportError: torch is not installed.
        ValueError: an unknown id, reward, view or unit of actions, sizes below one, a parameter out of range, a
            learned reward to compile.
        TypeError: an unknown parameter, or another ``dtype``.

    >>> import torch
    >>> env = TorchEnv("PublicGoods-v1", 2, reward="private", actions="share", dtype=torch.float64)
    >>> _ = env.reset(seed=0)
    >>> shares = torch.full((2, 5), 0.5, dtype=torch.float64, requires_grad=True)
    >>> _, rewards, *_ = env.step(shares)
    >>> torch.autograd.grad(rewards[0, 0], shares)[0].round(decimals=2)  # what agent 0 gets for what everybody gives
    tensor([[-1.1300,  0.4000,  0.4000,  0.4000,  0.4000],
            [ 0.0000,  0.0000,  0.0000,  0.0000,  0.0000]], dtype=torch.float64)
    """

    def __init__(
        self,
        id: str,
        num_envs: int | tuple[int, ...],
        device: Any = "cpu",
        *,
        reward: str | RewardLayer | Sequence[str | RewardLayer] = "integrated",
        view: str | None = None,
        actions: str | None = None,
        dtype: torch.dtype | None = None,
        compile: bool = False,
        validate: bool = True,
        **parameters: Any,
    ) -> None:
        sizes = num_envs if isinstance(num_envs, tuple | list) and num_envs else (num_envs,)
        self.batch = tuple(checked_num_envs(size) for size in sizes)
        self.num_envs = num_envs
        self.game = make_game(id, torch_backend(device, dtype), **parameters)
        self.view = checked_view(self.game, view)
        self.device = self.game.backend.device
        self.observation_size = self.game.seat_observation_bounds(self.view, 0)[0].shape[-1]
        self._engine = Engine(self.game, reward, self.batch, actions=actions, validate=validate)
        self._lockstep: int | None = None
        self._advance: Callable[[State, Any, Any], tuple[Transition, Any, Any, dict[str, Any]]] = self._advanced
        if compile and self._engine.rewards.learned:
            raise ValueError(f"reward={reward}: a reward that is learned cannot be compiled; leave compile=False")
        if compile:
            import torch

            # Views are laid out when something is first seen, which must not be traced.
            self.game.observe(self.game.initial_state(self.batch, None, *self._engine.blank_draws()), self.view)
            self._advance = torch.compile(_with_own_code(self._advanced), dynamic=False, fullgraph=True)

    def _advanced(self, state: State, levels: Any, normals: Any) -> tuple[Transition, Any, Any, dict[str, Any]]:
        """Everything a step computes, as one pure function: what ``compile`` fuses."""
        step = self._engine.step_from(state, levels.clone(), normals)
        transition = step.transition
        observation = self.game.observe(transition.state, self.view)
        info = {
            "payoffs": transition.payoffs.clone(),
            "final_observation": observation.clone(),
            "final_state": _own(transition.state),
        }
        return transition, step.rewards.clone(), observation, info

    def _observe(self) -> torch.Tensor:
        return self.game.observe(self._engine.state, self.view)

    def reset(self, seed: Seeds = None, options: Mapping[str, Any] | None = None) -> torch.Tensor:
        """Start all episodes and return their first observations.

        Args:
            seed: row k (row-major over the batch) gets seed + k; or one seed per row.
            options: as in `Engine.reset`.
        """
        given = checked_options(options)
        # As long as all rows started together and none can end early, the host knows when they end.
        together = not (self.game.may_end_early or given.get("initial_state"))
        with self.game.backend.lasting():
            self._engine.reset(seed, given)
            self._lockstep = 0 if together else None
            return self._observe()

    def reset_where(self, mask: torch.Tensor) -> torch.Tensor:
        """Start new episodes where ``mask`` ``(*batch)`` holds and return the observations of all rows.

        Raises:
            ValueError: a mask of another shape or type.
        """
        if tuple(mask.shape) != self.batch or str(mask.dtype) != "torch.bool":
            raise ValueError(f"mask: expected booleans of shape {self.batch}, got {mask.dtype} {tuple(mask.shape)}")
        with self.game.backend.lasting():
            self._engine.reset_where(mask)
            self._lockstep = None
            return self._observe()

    def step(
        self, actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Play one step in every row.

        Returns:
            Observations (of the next episode where one ended), rewards, terminated, truncated, and a dictionary with
            ``payoffs``, ``final_observation`` (the last of the old episode; equal to the first where none ended) and
            ``final_state``, the state it was seen in.

        Raises:
            ValueError: actions of the wrong shape, not finite or out of range, unless ``validate=False``.
        """
        with self.game.backend.lasting():
            levels, normals = self._engine.levels(actions), self._engine.draw()
            transition, rewards, observation, info = self._advance(self._engine.state, levels, normals)
            self._engine.state = transition.state
            if self._lockstep is None:
                self._engine.reset_where(transition.terminated | transition.truncated)
                observation = self._observe()
            else:
                self._lockstep += 1
                if self._lockstep == self.game.spec.horizon:
                    observation = self.reset()
        return observation, rewards, transition.terminated, transition.truncated, info

    @property
    def state(self) -> State:
        """The current state, tensors leading with ``batch``; assign one to continue from it."""
        return _own(self._engine.state)

    @state.setter
    def state(self, state: State) -> None:
        self._engine.state = _own(state)
        self._lockstep = None

    @property
    def reward_state(self) -> dict[str, torch.Tensor]:
        """What transforms of rewards remember, by name; assign one to continue from it."""
        return {name: tensor.clone() for name, tensor in self._engine.rewards.state().items()}

    @reward_state.setter
    def reward_state(self, state: Mapping[str, torch.Tensor]) -> None:
        with self.game.backend.lasting():
            self._engine.rewards.restore({name: tensor.clone() for name, tensor in state.items()})


def _own(state: State) -> State:
    """Copy a state, so that what is handed out or taken in belongs to one side only."""
    return map_arrays(lambda tensor: tensor.clone(), state)


def _with_own_code(method: Callable[P, R]) -> Callable[P, R]:
    """Copy a bound method down to its code, of which the compiler accepts a handful of specialisations and no more."""
    function = method.__func__  # type: ignore[attr-defined]  # a bound method has one
    copy = FunctionType(function.__code__.replace(), function.__globals__, function.__name__)
    return MethodType(copy, method.__self__)  # type: ignore[attr-defined]  # and belongs to an object


torch_env = TorchEnv
"""The name under which `coopgym` offers it, beside ``parallel_env`` and ``aec_env``."""
