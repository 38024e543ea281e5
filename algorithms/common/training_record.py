"""The record of a training as it comes from disk: what each of its fields must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from coopgym.algorithms import learners
from coopgym.algorithms.common.learner_contract import CurvePoint, Memory, ReplicaName
from coopgym.algorithms.common.policies import POLICY_KINDS
from coopgym.contained_files import contained
from coopgym.corpus.writer import write_atomically
from coopgym.digests import DIGESTS_FILE, Digest, encode_digests
from coopgym.games.registry import games, make_game
from coopgym.games.spec import View
from coopgym.record_fields import (
    Check,
    FieldError,
    each,
    fields,
    found,
    named,
    nullable,
    number,
    one_of,
    plain,
    real,
    row,
    text,
    truth,
    whole,
)
from coopgym.strict_json import parse_json

RECORD_FILE = "training.json"
LANGUAGE = "language_model"
"""What the record of a language model calls itself."""
seed = whole(high=2**64 - 1)
curves = each(row(whole(), text, number))
"""Points of curves: step, metric and value, which is NaN where training diverged."""
view = one_of(*get_args(View))
ACTIVATION = one_of("tanh", "relu")
_COUNTS = (
    "batch_size buffer_size critic_epochs epochs examined history levels marks minibatches mixer_units n_steps "
    "num_envs opponents policy_delay snapshot_every snapshots steps_per_update strangers teams"
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
    "memory": one_of(*get_args(Memory)),
    "objective": one_of("individual", "team"),
    "partners": each(text),
    "rollout_steps": nullable(whole(1)),
    "target_entropy": real(-10.0, 0.0),
    "warmup_steps": whole(),
}
"""Of all learners, by the names that files have for them; what a name means in one it means in the others."""


_GROUP = {"seats": each(whole(), least=1), "kind": one_of(*POLICY_KINDS), "activation": ACTIVATION}
_FACTS: Mapping[str, Mapping[str, Check]] = {
    "deterministic": {"noise": real(0.0)},
    "categorical": {"epsilon": real(0.0, 1.0)},
    "action_values": {"epsilon": real(0.0, 1.0)},
}
"""What forms of policies need besides tensors and an activation."""
_REPLICA = {
    "reward": text,
    "seed": seed,
    "reward_scale": real(0.0),
    "diverged_at": nullable(whole()),
    "curves": curves,
}


def _group(value: Any, path: str) -> None:
    fields({**_GROUP, "prefix": _prefix})(value, path)
    facts = {**_GROUP, "prefix": _prefix, **_FACTS.get(value["kind"], {})}
    fields(facts, {"history": whole(1), "memory": one_of(*get_args(Memory))}, closed=True)(value, path)


def _prefix(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise FieldError(f"{path}: found {found(value)}, expected a text, which may be empty")


_TOP = {
    "algorithm": text,
    "hyperparameters": named(plain),
    "game": text,
    "game_parameters": named(plain),
    "view": view,
    "endowments": each(real(0.0), least=1),
    "replicas": each(fields(_REPLICA, closed=True), least=1),
    "env_steps": whole(),
    "gradient_updates": whole(),
}
_record = fields({**_TOP, "policies": each(_group, least=1)}, {"evaluations": whole()}, closed=True)
_early_record = fields({**_TOP, "activation": ACTIVATION}, {"evaluations": whole()}, closed=True)
"""Of a record that was written before records described policies one by one."""


@dataclass(frozen=True, eq=False)
class RecordedTraining:
    """R trained replicas as their record has them; one is named by its position or by ``(reward, seed)``.

    Attributes:
        record: everything but weights, as JSON values.
    """

    record: Mapping[str, Any]

    @property
    def replicas(self) -> list[tuple[str, int]]:
        """``(reward, seed)`` of every replica, rewards slowest."""
        return [(entry["reward"], entry["seed"]) for entry in self.record["replicas"]]

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The learner's hyper-parameters."""
        return dict(self.record["hyperparameters"])

    def curves(self, replica: ReplicaName = 0) -> list[CurvePoint]:
        """Return ``(steps, metric, value)`` in the order of training."""
        return [(step, metric, value) for step, metric, value in self._entry(replica)["curves"]]

    def status(self, replica: ReplicaName = 0) -> str:
        """Return ``"trained"`` or ``"diverged"``."""
        return "trained" if self.diverged_at(replica) is None else "diverged"

    def diverged_at(self, replica: ReplicaName = 0) -> int | None:
        """Return the number of steps after which a replica was found to have diverged, or None."""
        step: int | None = self._entry(replica)["diverged_at"]
        return step

    def _entry(self, replica: ReplicaName) -> Mapping[str, Any]:
        entry: Mapping[str, Any] = self.record["replicas"][replica_index(self.record, replica)]
        return entry

    def _save(self, folder: Path, files: Mapping[str, bytes]) -> None:
        """Write files, the digests of all, and the record: last, so that a folder with a record is complete."""
        record = json.dumps(self.record, indent=1).encode()
        digests = {name: Digest.of(content) for name, content in {**files, RECORD_FILE: record}.items()}
        for name, content in {**files, DIGESTS_FILE: encode_digests(digests), RECORD_FILE: record}.items():
            write_atomically(folder / name, content)


def read_record(folder: Path, check: Callable[[Any], None]) -> dict[str, Any]:
    """Read the record of a folder.

    Args:
        folder: what a training left.
        check: raises a `FieldError` unless the record is what it must be.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it cannot be read, or a field is not what it must be; the message names it.
    """
    file = contained(folder, RECORD_FILE)
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing; expected a folder that a trained result was saved to")
    try:
        record = parse_json(file.read_bytes(), nonfinite=True)
        check(record)
    except (ValueError, OSError) as error:
        raise ValueError(f"{file} is not a readable training result: {error}; save it again") from error
    return dict(record)


def check_record(record: Any) -> None:
    """Make sure that a record is one of trained policies, and that its fields go together.

    Raises:
        FieldError: names the field that is not what it must be.
    """
    early = isinstance(record, dict) and "policies" not in record and "activation" in record
    (_early_record if early else _record)(record, "")
    if record["algorithm"] in learners():
        check_hyperparameters(record["hyperparameters"], "hyperparameters")
    seats = sorted(seat for group in policy_groups(record) for seat in group["seats"])
    if seats != list(range(len(record["endowments"]))):
        raise FieldError(
            f"policies: found policies of the seats {found(seats)}, expected one of each of the "
            f"{len(record['endowments'])} seats that `endowments` has"
        )
    names = [(entry["reward"], entry["seed"]) for entry in record["replicas"]]
    if len(set(names)) < len(names):
        raise FieldError(f"replicas: found {found(names)}, expected every reward and seed once")
    check_game(record["game"], record["game_parameters"], len(record["endowments"]))


def policy_groups(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a record says of its policies, one entry per form of policy."""
    if "policies" in record:
        return list(record["policies"])
    seats = list(range(len(record["endowments"])))
    return [{"seats": seats, "kind": "squashed_gaussian", "activation": record["activation"], "prefix": ""}]


def check_hyperparameters(value: Mapping[str, Any], path: str) -> None:
    """Check the hyper-parameters of a learner of this package."""
    for name, setting in value.items():
        _FIELDS.get(name, plain)(setting, f"{path}.{name}")


def replica_index(record: Mapping[str, Any], replica: int | tuple[str, int]) -> int:
    """Return the position of a replica given as position or ``(reward, seed)``.

    Raises:
        ValueError: no such replica.
    """
    names = [(entry["reward"], entry["seed"]) for entry in record["replicas"]]
    if isinstance(replica, int) and 0 <= replica < len(names):
        return replica
    if replica in names:
        return names.index(replica)
    raise ValueError(f"no replica {replica!r}; there are {len(names)}: {names}")


def check_game(game: str, parameters: Mapping[str, Any], seats: int) -> None:
    """Make sure that a game that is known here may have such parameters, and has so many seats.

    Parameters that are unknown here pass: they belong to another version of the game.

    Raises:
        FieldError: it may not.
    """
    if game not in games():
        return
    known = make_game(game).parameter_dict()
    given = {name: value for name, value in parameters.items() if name in known}
    try:
        made = make_game(game, **given)
    except (TypeError, ValueError) as error:
        alone = next((name for name, value in given.items() if not _may_have(game, name, value)), None)
        raise FieldError(f"game_parameters{f'.{alone}' if alone else ''}: {error}") from error
    if made.n_agents != seats:
        raise FieldError(f"endowments: found {seats} seats, expected the {made.n_agents} of {game}")


def _may_have(game: str, name: str, value: Any) -> bool:
    try:
        make_game(game, **{name: value})
    except (TypeError, ValueError):
        return False
    return True
