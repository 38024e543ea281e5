"""What hyper-parameters are by their names, known without importing the learners, which need torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coopgym.record_fields import Check, each, nullable, one_of, plain, real, truth, whole

ACTIVATION = one_of("tanh", "relu")
_COUNTS = (
    "batch_size buffer_size critic_epochs epochs examined levels marks minibatches mixer_units n_steps num_envs "
    "opponents policy_delay snapshot_every snapshots steps_per_update strangers teams"
)
_SHARES = (
    "averaging clip entropy_decay epsilon epsilon_decay final_epsilon final_sigma gae_lambda gamma latest "
    "learning_rate_decay learning_seats noise_decay population_share sigma_decay tau td_lambda"
)
_AMOUNTS = (
    "adam_epsilon adversity baseline_memory critic_learning_rate entropy_coefficient final_noise latent_cost "
    "learning_rate max_gradient_norm noise rms_prop_epsilon shaping shaping_limit smoothing smoothing_limit "
    "team_shaping_limit temperature temperature_learning_rate value_coefficient value_memory"
)
_FIELDS: dict[str, Check] = {
    **dict.fromkeys(_COUNTS.split(), whole(1)),
    **dict.fromkeys(_SHARES.split(), real(0.0, 1.0)),
    **dict.fromkeys(_AMOUNTS.split(), real(0.0)),
    **dict.fromkeys(("bootstrap_truncation", "mixed", "sharing"), truth),
    "activation": ACTIVATION,
    "estimator": one_of("dice", "exact"),
    "hidden": each(whole(1), least=1),
    "initial_log_sigma": real(),
    "objective": one_of("individual", "team"),
    "rollout_steps": nullable(whole(1)),
    "target_entropy": real(-10.0, 0.0),
    "warmup_steps": whole(),
}
"""Of all learners; what a name means in one it means in the others."""


def hyperparameters(value: Mapping[str, Any], path: str) -> None:
    """Check the hyper-parameters of a learner of this package."""
    for name, setting in value.items():
        _FIELDS.get(name, plain)(setting, f"{path}.{name}")
