"""Critics of off-policy actors: an ensemble per seat, targets that trail behind, and the unit of their answers.

Shapes: R replicas, E critics per seat, n seats, M transitions of a minibatch, I entries that a critic sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.common.value_normalisation import TargetNormaliser
from coopgym.algorithms.marl.core.agent_learner import AgentNetworks
from coopgym.algorithms.marl.core.off_policy_loop import OffPolicySeats

SCALE_RATE = 0.01  # weight of a minibatch in the running scale of targets


@dataclass(frozen=True, kw_only=True)
class CriticSettings(Settings):
    """Settings of learners whose policies climb critics.

    Attributes:
        batch_size: transitions M per update, at least 2: the critics' unit is the deviation of a minibatch's targets.
        critic_learning_rate: Adam's step size of the critics.
        learning_rate_decay: last share of training over which all step sizes fall to zero.
    """

    batch_size: int = hyperparameter(128, 1)
    critic_learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
    learning_rate_decay: float = hyperparameter(0.8, 0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size < 2:
            raise ValueError(
                f"batch_size={self.batch_size!r}: expected at least 2, for the critics of {type(self).__name__} answer "
                "in units of the deviation of a minibatch's targets"
            )


class Critics:
    """Networks that tell every seat what actions are worth, less what is steady, in units of the signal.

    The networks themselves answer in units of the deviation of their targets.

    Args:
        seats: whose critics they are, and who keeps their state.
        inputs: entries I that a critic sees, actions included.
        members: number E of critics per seat.
    """

    def __init__(self, seats: OffPolicySeats, inputs: int, members: int) -> None:
        context, options = seats.context, seats.options

        def networks() -> AgentNetworks:
            return AgentNetworks(context, inputs, options.hidden, 1, options.activation, ensemble=members)

        self.members = members
        self.online, self.trailing = networks(), networks()
        self.online.initialise(context, output_gain=0.01)
        self.trailing.parameters.follow(self.online.parameters)
        self.adam = seats.optimiser("critic", self.online.parameters)
        seats.keep("critic_target", self.trailing.parameters)
        self.scale = seats.keep("scale", TargetNormaliser(context.lead, SCALE_RATE, context.device))
        self._last_layers = [*self.online.last_layer(), *self.trailing.last_layer()]

    def first(self, seen: Tensor) -> Tensor:
        """Return the values ``(R, n, M)`` that the first critic gives to what it sees, ``(R, n, M, I)``.

        These three can be differentiated in what is seen, not in parameters.
        """
        return self.scale.denormalise(self.online(seen, self.online.parameters.part(1, 0)).squeeze(-1))

    def least(self, seen: Tensor) -> Tensor:
        """Return the least values ``(R, n, M)`` that any critic gives."""
        return self._least(self.online, seen)

    def foreseen(self, seen: Tensor) -> Tensor:
        """Return the least values ``(R, n, M)`` that any of the trailing critics gives."""
        return self._least(self.trailing, seen)

    def regress(self, seen: Tensor, target: Tensor, learning_rate: float) -> Tensor:
        """Take one step towards targets ``(R, n, M)`` and return the mean squared error ``(R,)`` before it."""
        self.scale.update(target, self._last_layers)
        goal = self.scale.normalise(target).unsqueeze(1)
        loss = (self.online(seen).squeeze(-1) - goal).square().mean(-1).sum((1, 2))
        self.adam.step(self.online.parameters.gradient(loss.sum()), loss, learning_rate)
        return loss.detach() / (self.members * target.shape[1])

    def follow(self, rate: float) -> None:
        """Move the trailing critics a share ``rate`` of the way to the online ones."""
        self.trailing.parameters.follow(self.online.parameters, rate)

    def _least(self, networks: AgentNetworks, seen: Tensor) -> Tensor:
        everybody = seen.unsqueeze(1).expand(-1, self.members, -1, -1, -1)
        return self.scale.denormalise(networks(everybody, networks.parameters.values()).squeeze(-1).amin(1))
