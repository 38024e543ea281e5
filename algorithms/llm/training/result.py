"""What training a language model leaves: models, curves and facts of every replica."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from coopgym.algorithms.common.learner_contract import ReplicaName
from coopgym.algorithms.common.training_record import (
    LANGUAGE,
    RecordedTraining,
    check_game,
    curves,
    read_record,
    replica_index,
    seed,
    view,
)
from coopgym.algorithms.llm.models import LanguageModel, load_model
from coopgym.algorithms.llm.play.agent import LanguageAgent, LanguagePolicy
from coopgym.algorithms.llm.play.conversation import Decoding
from coopgym.algorithms.llm.play.generators import ModelGenerator
from coopgym.digests import check_digests
from coopgym.games.parameters import LARGEST
from coopgym.interfaces.text import Rules
from coopgym.interfaces.text.dialogue import OnInvalid
from coopgym.record_fields import each, fields, named, nullable, one_of, plain, real, text, whole


@dataclass(frozen=True, eq=False)
class LanguageResult(RecordedTraining):
    """R trained models; their curves count decisions.

    Attributes:
        record: everything but weights, as JSON values.
        models: one per replica; None where training diverged.
        rollouts: of each replica, what `transcript` returns; `save` leaves them to the corpus.
    """

    models: Sequence[LanguageModel | None]
    rollouts: Sequence[Sequence[Mapping[str, Any]]] = ()

    @property
    def env_steps(self) -> int:
        """Decisions taken in rollouts, by the replica that took most."""
        return max(int(entry["decisions"]) for entry in self.record["replicas"])

    @property
    def gradient_updates(self) -> int:
        """Gradient updates, by the replica that took most."""
        return max(int(entry["gradient_updates"]) for entry in self.record["replicas"])

    def agents(self, replica: ReplicaName = 0, *, stochastic: bool = False) -> list[LanguageAgent]:
        """Return one agent per seat.

        Raises:
            ValueError: no such replica, or it diverged.
        """
        index = replica_index(self.record, replica)
        model = self.models[index]
        if model is None:
            raise ValueError(f"replica {replica!r} diverged and left no policy")
        return _agents(self.record, model, stochastic)

    def transcript(self, replica: ReplicaName = 0) -> Sequence[Mapping[str, Any]]:
        """Return the rollouts that training was asked to keep, as rows of the table ``turns`` but for the run."""
        index = replica_index(self.record, replica)
        return self.rollouts[index] if self.rollouts else ()

    def save(self, path: str | Path) -> None:
        """Write models (safetensors), record (JSON) and its digest to a folder that `load_language_agents` reads."""
        folder = Path(path)
        for number, model in enumerate(self.models):
            if model is not None:
                model.save(_model_folder(folder, number))  # with digests of its own files
        self._save(folder, {})


def training_record(
    game: str,
    view: str,
    seats: int,
    hyperparameters: Mapping[str, Any],
    talk: Mapping[str, Any],
    replicas: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the record of a training, as JSON values."""
    return {
        "kind": LANGUAGE,
        "game": game,
        "view": view,
        "seats": seats,
        "hyperparameters": dict(hyperparameters),
        "talk": dict(talk),
        "replicas": replicas,
    }


def talk_record(dialect: str, rules: Rules, decoding: Decoding) -> dict[str, Any]:
    """Return how a model was talked to, as JSON values."""
    return {"dialect": dialect, "rules": asdict(rules), "decoding": asdict(decoding)}


def load_language_agents(
    path: str | Path, replica: ReplicaName = 0, *, stochastic: bool = False
) -> list[LanguageAgent]:
    """Load the agents of a saved training, one per seat.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file cannot be read or was altered, or there is no such replica.
    """
    folder = Path(path)
    check_digests(folder)
    record = read_record(folder, check_language_record)
    index = replica_index(record, replica)
    if record["replicas"][index]["diverged_at"] is not None:
        raise ValueError(f"replica {replica!r} diverged and left no policy")
    return _agents(record, load_model(_model_folder(folder, index)), stochastic)


def check_language_record(record: Any) -> None:
    """Make sure that a record is one of trained language models.

    Raises:
        FieldError: names the field that is not what it must be.
    """
    _record(record, "")
    check_game(record["game"], {}, record["seats"])


_share = real(0.0, 1.0)


def _fallback(value: Any, path: str) -> None:
    (one_of("norm", "last") if isinstance(value, str) else _share)(value, path)


_rules = fields(
    {
        "max_turns": whole(1),
        "on_invalid": one_of(*get_args(OnInvalid)),
        "retries": whole(),
        "penalty": real(0.0),
        "fallback": _fallback,
    },
    closed=True,
)
_decoding = fields({"max_tokens": whole(1), "temperature": real(0.0)}, closed=True)
_replica = fields(
    {
        "reward": text,
        "seed": seed,
        "diverged_at": nullable(whole()),
        "decisions": whole(),
        "gradient_updates": whole(),
        "curves": curves,
    },
    closed=True,
)
_record = fields(
    {
        "kind": one_of(LANGUAGE),
        "game": text,
        "view": view,
        "seats": whole(1, LARGEST["n_agents"]),
        "hyperparameters": named(plain),
        "talk": fields({"dialect": text, "rules": _rules, "decoding": _decoding}, closed=True),
        "replicas": each(_replica, least=1),
    },
    closed=True,
)


def _model_folder(folder: Path, replica: int) -> Path:
    return folder / f"model_{replica:03d}"


def _agents(record: Mapping[str, Any], model: LanguageModel, stochastic: bool) -> list[LanguageAgent]:
    """Return agents that share one generator: what one seat has worked out, the others need not."""
    talk = record["talk"]
    generator = ModelGenerator(model, Decoding(**talk["decoding"]))
    policy = LanguagePolicy(generator, talk["dialect"], Rules(**talk["rules"]))
    return [LanguageAgent(policy, stochastic) for _ in range(record["seats"])]
