"""A study killed in the middle of a training goes on from the training's last checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coopgym.benchmarks.execute import job_runner
from coopgym.benchmarks.execute.executors import Executor, InProcess, ProcessPool
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.execute.store import CHECKPOINTS, RunStore
from coopgym.benchmarks.study import Job, Study, expand, group
from coopgym.corpus import load_corpus
from coopgym.interrupts import UserInterrupt
from tests.support.corpora import content_bytes
from tests.support.quiet import Silence

BLOCKS = 6
ENTRY: dict[str, Any] = {
    "name": "IPPO",
    "env_steps": BLOCKS * 100,
    "hyperparameters": {"num_envs": 4, "rollout_steps": 25, "n_minibatches": 2, "n_epochs": 1, "hidden": [8]},
}
STUDY = Study.model_validate(
    {
        "name": "learn",
        "seeds": [1, 2],
        "episodes": 1,
        "exploitability": False,
        "blocks": [{"games": ["TrustDilemma-v1"], "parameters": {"max_steps": 25}, "learners": [ENTRY]}],
    }
)


class Watch(Silence):
    """Notes how far trainings come, and stops the study after some reports."""

    def __init__(self, last: int | None = None) -> None:
        self.fractions: list[float] = []
        self.last = last

    def advance(self, job: Job, fraction: float) -> None:
        self.fractions.append(fraction)
        if len(self.fractions) == self.last:
            raise UserInterrupt


@pytest.fixture(autouse=True)
def _checkpoint_after_every_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_runner, "CHECKPOINT_SECONDS", 0.0)


def run(folder: Path, watch: Watch, study: Study = STUDY, executor: Executor | None = None) -> None:
    run_study(study, expand(study), folder, executor or InProcess(), watch)


def interrupted(folder: Path, after: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(folder, Watch(last=after))


def test_a_killed_training_goes_on_and_ends_like_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, again = Watch(), Watch()
    run(tmp_path / "whole", whole)
    interrupted(tmp_path / "killed", after=4)
    assert not load_runs(tmp_path / "killed")
    run(tmp_path / "killed", again)
    assert whole.fractions == [block / BLOCKS for block in range(1, BLOCKS + 1)]
    assert again.fractions == whole.fractions[3:], "blocks before the last checkpoint were trained again"
    assert content_bytes(tmp_path / "killed") == content_bytes(tmp_path / "whole")
    curves = [load_corpus(tmp_path / name).curves.sort_by([("run_id", "ascending")]) for name in ("killed", "whole")]
    assert curves[0].equals(curves[1])
    assert not (tmp_path / "killed" / CHECKPOINTS).exists()


def load_runs(folder: Path) -> list[Path]:
    return list((folder / "runs").glob("*.parquet"))


def test_checkpoints_of_jobs_that_are_no_longer_planned_are_removed(tmp_path: Path) -> None:
    interrupted(tmp_path, after=3)
    (killed,) = group(expand(STUDY))
    assert {place.name for place in (tmp_path / CHECKPOINTS).iterdir()} == {killed.id}
    only_one = STUDY.model_copy(update={"seeds": [1]})
    watch = Watch()
    run(tmp_path, watch, only_one)
    assert len(watch.fractions) == BLOCKS
    assert not (tmp_path / CHECKPOINTS).exists()


def test_checkpoints_of_runs_that_are_not_asked_for_now_stay(tmp_path: Path) -> None:
    interrupted(tmp_path, after=3)
    (killed,) = group(expand(STUDY))
    some = [spec for spec in expand(STUDY) if spec.seed == 1]
    run_study(STUDY, [], tmp_path, InProcess(), Silence())
    assert (tmp_path / CHECKPOINTS / killed.id).is_dir()
    run_study(STUDY, some, tmp_path, InProcess(), Silence())  # now the job is another one
    run_study(STUDY, [], tmp_path, InProcess(), Silence())
    assert not (tmp_path / CHECKPOINTS).exists()


class Asked:
    """Notes where jobs may leave checkpoints, and does none of them."""

    def run(self, jobs: Any, study: str, tell: Any) -> Any:
        self.places = [job.checkpoint for job in jobs]
        raise UserInterrupt
        yield


class Here(Asked, InProcess): ...


class Beside(Asked, ProcessPool): ...


def test_only_workers_on_this_machine_leave_checkpoints(tmp_path: Path) -> None:
    for number, (executor, near) in enumerate([(Asked(), False), (Here(), True), (Beside(1), True)]):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / str(number), Watch(), executor=executor)
        assert [place is not None for place in executor.places] == [near]


def test_a_folder_for_checkpoints_is_no_part_of_a_job(tmp_path: Path) -> None:
    plays = STUDY.model_copy(
        update={"blocks": [STUDY.blocks[0].model_copy(update={"learners": [], "agents": ["Random"]})]}
    )
    waiting = [*group(expand(STUDY)), *group(expand(plays))]
    with RunStore(tmp_path, STUDY) as store:
        supplied = store.supplied(waiting, checkpoints=True)
        assert [job.checkpoint for job in store.supplied(waiting)] == [None] * len(waiting)
    assert supplied == waiting
    assert [job.id for job in supplied] == [job.id for job in waiting]
    assert [job.checkpoint is not None for job in supplied] == [job.training is not None for job in supplied]
