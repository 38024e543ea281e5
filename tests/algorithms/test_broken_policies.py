"""Policies from anybody: wrong types, missing fields and wrong tensors are refused, by their names."""

from __future__ import annotations

import copy
import json
import math
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from coopgym.algorithms import learners
from coopgym.algorithms.common.checkpoint import CHECKPOINT_FILE
from coopgym.algorithms.common.training_record import RECORD_FILE, check_hyperparameters
from coopgym.algorithms.llm.play.conversation import Decoding
from coopgym.algorithms.llm.training.result import check_language_record, talk_record, training_record
from coopgym.algorithms.loading import load_agents
from coopgym.algorithms.marl import IPPO
from coopgym.algorithms.marl.core.trained_agents import POLICIES_FILE
from coopgym.digests import DIGESTS_FILE, Digest, encode_digests
from coopgym.interfaces.text import Rules
from coopgym.record_fields import FieldError

MUTATIONS = 300
HUGE = 10**70
WRONG: tuple[Any, ...] = ("text", "", True, None, 1.5, -1, math.nan, math.inf, HUGE, [], [None], {}, {"a": 1})
Path_ = tuple[str | int, ...]
LEARNER = IPPO(hidden=(4,), num_envs=2, rollout_steps=10)
SETTING: dict[str, Any] = {
    "game": "TrustDilemma-v1",
    "rewards": ["private", "integrated"],
    "seeds": [1],
    "env_steps": 40,
    "evaluations": 1,
    "game_parameters": {"max_steps": 10},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    LEARNER.train(**SETTING).save(folder)
    return folder


@pytest.fixture
def record(trained: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((trained / RECORD_FILE).read_text())
    return found


@pytest.fixture
def tensors(trained: Path) -> dict[str, Any]:
    return load_file(trained / POLICIES_FILE)


def put(folder: Path, record: bytes, tensors: bytes) -> Path:
    """Write policies with digests that vouch for them."""
    digests = {RECORD_FILE: Digest.of(record), POLICIES_FILE: Digest.of(tensors)}
    for name, content in ((RECORD_FILE, record), (POLICIES_FILE, tensors), (DIGESTS_FILE, encode_digests(digests))):
        (folder / name).write_bytes(content)
    return folder


def paths(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in items:
        yield from paths(below, (*path, name))


def at(value: Any, path: Path_) -> Any:
    for name in path:
        value = value[name]
    return value


def replaced(value: Any, path: Path_, new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    at(changed, path[:-1])[path[-1]] = new
    return changed


def removed(value: Any, path: Path_) -> Any:
    changed = copy.deepcopy(value)
    del at(changed, path[:-1])[path[-1]]
    return changed


def wrong_values(record: Any, path: Path_) -> list[Any]:
    """Return values of other types than that of a field, which it may not have."""
    old = at(record, path)
    others = [new for new in WRONG if type(new) is not type(old)]
    if path[-1:] == ("rollout_steps",):
        return [new for new in others if new is not None]
    if "curves" in path[:-1] and path[-1] == 2:  # values of curves may be any number
        return [new for new in others if isinstance(new, bool) or not isinstance(new, int | float) or new == HUGE]
    return others


def test_no_wrong_type_loads(trained: Path, record: dict[str, Any], tmp_path: Path) -> None:
    weights = (trained / POLICIES_FILE).read_bytes()
    first_points = [path for path in paths(record) if "curves" not in path or len(path) < 5 or path[3] == 0]
    pairs = [(path, new) for path in first_points for new in wrong_values(record, path)]
    for path, new in random.Random(14).sample(pairs, MUTATIONS):
        folder = put(tmp_path, json.dumps(replaced(record, path, new)).encode(), weights)
        names = [part for part in path if isinstance(part, str)]
        told = "the number" if new == HUGE else names[-1] if names else "the record"
        with pytest.raises(ValueError, match=f"{RECORD_FILE} is not a readable training result: .*{told}"):
            load_agents(folder)


def test_no_field_may_be_missing_or_unknown(trained: Path, record: dict[str, Any], tmp_path: Path) -> None:
    weights = (trained / POLICIES_FILE).read_bytes()
    needed = [(name,) for name in record if name != "evaluations"]
    needed += [("replicas", 1, name) for name in record["replicas"][1]]
    needed += [("policies", 0, name) for name in record["policies"][0]]
    for path in needed:
        folder = put(tmp_path, json.dumps(removed(record, path)).encode(), weights)
        with pytest.raises(ValueError, match=f"{path[-1]}' is (missing|unknown)"):
            load_agents(folder)
    for path in ((), ("replicas", 0), ("policies", 0)):
        folder = put(tmp_path, json.dumps(replaced(record, (*path, "extra"), 1)).encode(), weights)
        with pytest.raises(ValueError, match="extra' is unknown; expected"):
            load_agents(folder)


@pytest.mark.parametrize(
    ("path", "new", "message"),
    [
        (("policies", 0, "seats"), [0, 0], r"policies: found policies of the seats \[0, 0\], expected one of each"),
        (("policies", 0, "seats"), [0, 7], "expected one of each of the 2 seats"),
        (("policies", 0, "kind"), "pickle", r"policies\[0\].kind: found 'pickle', expected one of squashed_gaussian"),
        (("policies", 0, "activation"), "gelu", r"policies\[0\].activation: found 'gelu', expected one of tanh, relu"),
        (("policies", 0, "prefix"), "x.", "'policy.x.weight_0' is missing"),
        (("endowments",), [100.0] * 3, "expected one of each of the 3 seats"),
        (("endowments", 0), -5.0, r"endowments\[0\]: found -5.0, expected a finite number of at least 0"),
        (("game_parameters", "norm"), -0.5, r"game_parameters.norm: norm=-0.5: expected finite values in \[0, 1"),
        (
            ("game_parameters", "max_steps"),
            10**12,
            "game_parameters.max_steps: max_steps=1000000000000: expected at most",
        ),
        (
            ("hyperparameters", "gamma"),
            1.5,
            r"hyperparameters.gamma: found 1.5, expected a finite number in \[0.0, 1.0",
        ),
        (("hyperparameters", "hidden"), [0], r"hyperparameters.hidden\[0\]: found 0, expected a whole number"),
        (("replicas", 0, "seed"), -1, r"replicas\[0\].seed: found -1, expected a whole number in \[0"),
        (("replicas", 0, "reward"), "integrated", "expected every reward and seed once"),
        (("view",), "everything", "view: found 'everything', expected one of own, full, minimal"),
    ],
)
def test_values_that_cannot_be_are_named(
    trained: Path, record: dict[str, Any], tmp_path: Path, path: Path_, new: Any, message: str
) -> None:
    folder = put(tmp_path, json.dumps(replaced(record, path, new)).encode(), (trained / POLICIES_FILE).read_bytes())
    with pytest.raises(ValueError, match=message):
        load_agents(folder)


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("replicas", 0, "seed"), 5),
        (("replicas", 0, "curves"), []),
        (("replicas", 0, "curves", 0, 2), math.nan),
        (("algorithm",), "SomebodysLearner"),
        (("hyperparameters", "of_a_later_version"), "anything"),
        (("game_parameters", "of_another_version"), 1.0),
        (("env_steps",), 80),
    ],
)
def test_what_could_have_been_written_loads(
    trained: Path, record: dict[str, Any], tmp_path: Path, path: Path_, new: Any
) -> None:
    put(tmp_path, json.dumps(replaced(record, path, new)).encode(), (trained / POLICIES_FILE).read_bytes())
    assert len(load_agents(tmp_path)) == 2


def with_value(name: str, value: float) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors[name].flat[-1] = value

    return change


def reshaped(name: str, shape: tuple[int, ...]) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors[name] = np.zeros(shape, np.float32)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_value("policy.weight_0", math.nan), "'policy.weight_0' holds NaN or infinity in replica 1"),
        (with_value("policy.log_sigma", math.inf), "'policy.log_sigma' holds NaN or infinity in replica 1"),
        (with_value("observation.gain", math.nan), "'observation.gain' holds NaN or infinity"),
        (
            reshaped("policy.weight_1", (2, 2, 5, 1)),
            r"'policy.weight_1': found shape \(2, 2, 5, 1\), expected \(2, 2, 4",
        ),
        (reshaped("policy.weight_1", (2, 2, 4, 3)), "'policy.weight_1': found 3 outputs, expected one of a squashed"),
        (reshaped("policy.bias_0", (2, 2, 4)), "'policy.bias_0': found shape"),
        (reshaped("policy.weight_0", ()), r"'policy.weight_0': found shape \(\), expected some numbers"),
        (reshaped("policy.weight_0", (2, 2, 0, 4)), "'policy.weight_0': found shape"),
        (reshaped("observation.offset", (2, 3)), "'observation.offset': found shape"),
        (lambda tensors: tensors.pop("policy.bias_1"), "'policy.bias_1' is missing"),
        (lambda tensors: tensors.pop("policy.log_sigma"), "'policy.log_sigma' is missing"),
        (lambda tensors: tensors.pop("observation.gain"), "'observation.gain' is missing"),
        (lambda tensors: tensors.clear(), "'observation.gain' is missing"),
        (lambda tensors: tensors.update(extra=np.zeros(1)), "'extra' is unknown"),
        (
            lambda tensors: tensors.update({"policy.bias_0": tensors["policy.bias_0"].astype(np.int64)}),
            "'policy.bias_0': found numbers of type int64, expected float32 or float64",
        ),
    ],
)
def test_wrong_tensors_are_named(
    trained: Path,
    tensors: dict[str, Any],
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    message: str,
) -> None:
    change(tensors)
    folder = put(tmp_path, (trained / RECORD_FILE).read_bytes(), save(tensors))
    with pytest.raises(ValueError, match=f"{POLICIES_FILE}: tensor {message}"):
        load_agents(folder)


def test_a_replica_that_diverged_does_not_spoil_the_others(
    trained: Path, record: dict[str, Any], tensors: dict[str, Any], tmp_path: Path
) -> None:
    with_value("policy.weight_0", math.nan)(tensors)
    folder = put(tmp_path, json.dumps(replaced(record, ("replicas", 1, "diverged_at"), 20)).encode(), save(tensors))
    assert len(load_agents(folder, 0)) == 2
    with pytest.raises(ValueError, match="replica 1 diverged at step 20"):
        load_agents(folder, 1)


def test_broken_bytes_are_refused(trained: Path, tmp_path: Path) -> None:
    record, weights = (trained / RECORD_FILE).read_bytes(), (trained / POLICIES_FILE).read_bytes()
    header = int.from_bytes(weights[:8], "little")
    chance = random.Random(14)
    flipped = []
    for _ in range(40):  # in the header, where a bit may change a name, a type, a shape or a place
        bit = chance.randrange(8 * (8 + header))
        content = bytearray(weights)
        content[bit // 8] ^= 1 << bit % 8
        flipped.append(bytes(content))
    cut = [weights[: chance.randrange(len(weights))] for _ in range(10)]
    for content in (*flipped, *cut, b"", (2**62).to_bytes(8, "little") + weights[8:]):
        put(tmp_path, record, content)
        with pytest.raises(ValueError, match=POLICIES_FILE):
            load_agents(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe{}", "is not UTF-8"),
        (b"{", "not valid JSON"),
        (b"[]", r"the record: found \[\], expected an object"),
        (b'{"kind": 1, "kind": 2}', "the key 'kind' is there more than once"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"env_steps": ' + b"9" * 10_000 + b"}", "10000 characters"),
    ],
)
def test_records_are_strict_json(trained: Path, tmp_path: Path, content: bytes, message: str) -> None:
    put(tmp_path, content, (trained / POLICIES_FILE).read_bytes())
    with pytest.raises(ValueError, match=f"{RECORD_FILE} is not a readable training result: .*{message}"):
        load_agents(tmp_path)


@pytest.mark.parametrize("name", [RECORD_FILE, POLICIES_FILE, DIGESTS_FILE])
def test_only_regular_files_of_the_folder_are_opened(trained: Path, tmp_path: Path, name: str) -> None:
    put(tmp_path, *((trained / each).read_bytes() for each in (RECORD_FILE, POLICIES_FILE)))
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="is a link that leads out of its folder"):
        load_agents(tmp_path)
    if hasattr(os, "mkfifo"):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
        with pytest.raises(ValueError, match="is a fifo; expected a regular file"):
            load_agents(tmp_path)


@pytest.mark.parametrize(
    ("digests", "message"),
    [
        ({"../secret": {"size": 1, "sha256": "x"}}, "'../secret' leaves its folder"),
        ({"/etc/hostname": {"size": 1, "sha256": "x"}}, "'/etc/hostname' leaves its folder"),
        ({RECORD_FILE: {"size": "1", "sha256": "x"}}, "training.json.size: found '1', expected a whole number"),
        ({RECORD_FILE: {"size": 1}}, "training.json.sha256' is missing"),
        ([], r"the record: found \[\], expected an object"),
    ],
)
def test_lists_of_digests_are_checked_too(trained: Path, tmp_path: Path, digests: Any, message: str) -> None:
    put(tmp_path, *((trained / name).read_bytes() for name in (RECORD_FILE, POLICIES_FILE)))
    (tmp_path / DIGESTS_FILE).write_text(json.dumps(digests))
    with pytest.raises(ValueError, match=message):
        load_agents(tmp_path)


@pytest.mark.parametrize("name", sorted(set(learners()) - {"LLM", "Mixed"}))
def test_hyperparameters_of_every_learner_have_a_type(name: str) -> None:
    values = json.loads(json.dumps(learners()[name]().values()))
    check_hyperparameters(values, "hyperparameters")
    for field in values:
        with pytest.raises(FieldError, match=rf"hyperparameters\.{field}: found {{}}"):
            check_hyperparameters(values | {field: {}}, "hyperparameters")


LANGUAGE = training_record(
    "TrustDilemma-v1",
    "own",
    2,
    {"model": "small", "lora": None},
    talk_record("plain", Rules(), Decoding()),
    [
        {
            "reward": "private",
            "seed": 1,
            "diverged_at": None,
            "decisions": 8,
            "gradient_updates": 1,
            "curves": [[8, "reward", 0.5]],
        }
    ],
)


def test_records_of_language_models_are_checked_field_by_field() -> None:
    check_language_record(LANGUAGE)
    record = json.loads(json.dumps(LANGUAGE))
    fields = [path for path in paths(record) if path[:1] != ("hyperparameters",) or len(path) == 1]
    for path in fields:
        for new in (each for each in wrong_values(record, path) if each != HUGE):  # which no reader of JSON lets pass
            with pytest.raises(FieldError):
                check_language_record(replaced(record, path, new))
    with pytest.raises(FieldError, match="found 3 seats, expected the 2 of TrustDilemma-v1"):
        check_language_record(replaced(record, ("seats",), 3))


def test_broken_checkpoints_are_explained(tmp_path: Path) -> None:
    LEARNER.train(**SETTING, checkpoint=tmp_path)
    file = tmp_path / CHECKPOINT_FILE
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])

    def write(header: Any) -> None:
        text = json.dumps(header).encode()
        file.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])

    progress = json.loads(header["__metadata__"]["progress"])
    for changes, message in (
        ({"env_steps": "40"}, "progress.env_steps: found '40', expected a whole number"),
        ({"diverged_at": [None]}, r"progress.diverged_at: found \[None\], expected a list of 2"),
        ({"curves": [[[1, 2, 3]], []]}, r"progress.curves\[0\]\[0\]\[1\]: found 2, expected a text"),
    ):
        write(header | {"__metadata__": header["__metadata__"] | {"progress": json.dumps(progress | changes)}})
        with pytest.raises(ValueError, match=f"not a readable checkpoint: {message}"):
            LEARNER.train(**SETTING, checkpoint=tmp_path)
    name = next(each for each in header if each.startswith("seats."))
    write({f"other.{key}" if key == name else key: value for key, value in header.items()})
    with pytest.raises(ValueError, match=f"not a readable checkpoint: '{re.escape(name)}' is missing"):
        LEARNER.train(**SETTING, checkpoint=tmp_path)
