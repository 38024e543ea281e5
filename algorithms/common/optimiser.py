"""Adam over stacked networks: one elementwise rule that is exactly as many independent optimisers as networks."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from coopgym.algorithms.common.stacked_networks import ParameterStack


class StackedAdam:
    """Adam (Kingma & Ba 2015) with gradient-norm clipping per network and a freeze per replica.

    A replica whose loss or gradient is not finite is frozen for good: its parameters keep their last finite values
    and the other replicas never notice.

    Args:
        parameters: the stack to optimise, lead ``(R, ...)``.
        max_norm: largest gradient norm of one network.
        epsilon: Adam's ε.
        betas: decay rates of the first and second moments.
        alive: ``(R,)`` the freeze, to share it between optimisers; None starts one of its own.
    """

    def __init__(
        self,
        parameters: ParameterStack,
        max_norm: float,
        epsilon: float = 1e-8,
        betas: tuple[float, float] = (0.9, 0.999),
        alive: Tensor | None = None,
    ) -> None:
        self.parameters = parameters
        self.max_norm, self.epsilon, self.betas = max_norm, epsilon, betas
        self.steps = 0
        self.first = torch.zeros_like(parameters.flat)
        self.second = torch.zeros_like(parameters.flat)
        self._step = torch.zeros_like(parameters.flat)
        if alive is None:
            alive = torch.ones(parameters.lead[0], dtype=torch.bool, device=parameters.flat.device)
        self.alive = alive
        """``(R,)`` False where a replica is frozen."""

    @torch.no_grad()
    def step(self, gradient: Tensor, losses: Tensor, learning_rate: float) -> None:
        """Take one step along a gradient.

        Args:
            gradient: ``(*lead, P)``, overwritten.
            losses: ``(R,)`` the losses that were differentiated, watched for non-finite values.
            learning_rate: step size, the same for all.
        """
        norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)  # (*lead, 1)
        self.alive &= torch.isfinite(losses + norm.flatten(1).sum(1))
        alive = self.alive.view(-1, *(1,) * (gradient.dim() - 1))
        gradient.mul_((self.max_norm / (norm + 1e-6)).clamp_(max=1.0)).masked_fill_(~alive, 0.0)

        self.steps += 1
        beta1, beta2 = self.betas
        self.first.lerp_(gradient, 1.0 - beta1)
        self.second.mul_(beta2).addcmul_(gradient, gradient, value=1.0 - beta2)
        # Bias corrections are folded into the step size and ε (Kingma & Ba 2015, end of §2).
        correction = math.sqrt(1.0 - beta2**self.steps)
        rate = alive * (learning_rate * correction / (1.0 - beta1**self.steps))
        step = torch.sqrt(self.second, out=self._step).add_(self.epsilon * correction)
        torch.div(self.first, step, out=step)
        self.parameters.flat.sub_(step.mul_(rate))

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs, except the freeze, which may be shared."""
        return {"first": self.first, "second": self.second, "steps": torch.tensor(self.steps)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
        self.steps = int(state["steps"])
