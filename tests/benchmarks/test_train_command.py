"""``coopgym train``: a learner by name, its numbers beside the best constant, policies in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import coopgym
from coopgym.algorithms.marl import IPPO, load_agents
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.execute import training
from coopgym.benchmarks.execute.training import CHECKPOINT, TrainRequest, learner_named, train
from coopgym.play.episodes import play

TINY = ("--set", "num_envs=4", "--set", "hidden=[8]", "--set", "n_minibatches=2", "--set", "n_epochs=1")
SHORT = ("--set", "game.max_steps=10", "--steps", "120")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["train", *arguments], env={"COLUMNS": "120"})


def test_a_training_is_shown_beside_the_best_constant_and_saved(tmp_path: Path) -> None:
    out = tmp_path / "trained"
    modes = ("--reward", "private", "--reward", "cooperative")
    result = call("TrustDilemma-v1", "--agent", "ippo", "--seeds", "2", *modes, *TINY, *SHORT, "-o", str(out))
    assert result.exit_code == 0, result.output
    record = json.loads((out / "training.json").read_text())
    assert (record["hyperparameters"]["num_envs"], record["game_parameters"]["max_steps"]) == (4, 10)
    assert record["env_steps"] == 120
    assert sorted(path.name for path in out.iterdir()) == ["digests.json", "policies.safetensors", "training.json"]

    game = coopgym.make_game("TrustDilemma-v1", max_steps=10)
    lines = result.output.splitlines()
    for reward in ("private", "cooperative"):
        for seed in range(2):
            welfare = play(game, load_agents(out, (reward, seed))).payoffs.sum()
            assert any(line.split()[:2] == [reward, str(seed)] and f"{welfare:,.1f}" in line for line in lines)
    assert sum(line.rstrip().endswith("best constant") for line in lines) == 2


def test_a_folder_that_holds_a_training_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text("{}")
    result = call("TrustDilemma-v1", "--agent", "ippo", *TINY, *SHORT, "-o", str(tmp_path))
    assert result.exit_code == 2
    assert "holds a training already; choose another folder" in result.output
    assert (tmp_path / "training.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("TrustDilemma-v1", "--agent", "mapo"), "unknown learner 'mapo'; did you mean 'MAPPO'?"),
        (("TrustDilema-v1", "--agent", "ippo"), "did you mean"),
        (("TrustDilemma-v1", "--agent", "ippo", "--reward", "privat"), "unknown reward 'privat'"),
        (("TrustDilemma-v1", "--agent", "ippo", "--set", "num_env=3"), "did you mean 'num_envs'?"),
        (("TrustDilemma-v1", "--agent", "ippo", "--set", "num_envs=0"), "num_envs=0"),
        (("TrustDilemma-v1", "--agent", "ippo", "--set", "game.max_step=3"), "max_step"),
        (("TrustDilemma-v1", "--agent", "ippo", "--objective", "selfish"), "objective='selfish'"),
    ],
)
def test_mistakes_are_named(arguments: tuple[str, ...], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_learners_have_their_names_in_any_case() -> None:
    assert learner_named("ippo") is learner_named("IPPO") is learner_named("i-p_po") is IPPO


class Stop:
    """Interrupts a training after some blocks."""

    def __init__(self, last: int | None = None) -> None:
        self.fractions: list[float] = []
        self.last = last

    def begin(self, jobs: list[TrainRequest]) -> None: ...

    def advance(self, job: TrainRequest, fraction: float) -> None:
        self.fractions.append(fraction)
        if len(self.fractions) == self.last:
            raise KeyboardInterrupt

    def finish(self, job: TrainRequest, result: object) -> None: ...

    def end(self) -> None: ...


def test_an_interrupted_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    settings = ("game.max_steps=10", "num_envs=4", "hidden=[8]", "n_minibatches=2", "n_epochs=1")
    request = TrainRequest("TrustDilemma-v1", "ippo", ("private",), 1, 160, settings=settings, out=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        train(request, Stop(last=3))
    assert (tmp_path / "out" / CHECKPOINT).is_dir()
    again = Stop()
    resumed = train(request, again)
    assert again.fractions == [0.75, 1.0]
    whole = train(TrainRequest("TrustDilemma-v1", "ippo", ("private",), 1, 160, settings=settings), Stop())
    assert resumed.result.record == whole.result.record
    assert all(
        np.array_equal(resumed.result.tensors[name], whole.result.tensors[name]) for name in whole.result.tensors
    )
    assert not (tmp_path / "out" / CHECKPOINT).exists()
