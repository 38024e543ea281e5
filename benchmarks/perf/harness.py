"""Cost of the harness: around training (C10), and of finding that a study is finished (C11)."""

from __future__ import annotations

from io import StringIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from coopgym.algorithms.marl import IPPO
from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.perf.measure import Ratio, compare, cpu_seconds
from coopgym.benchmarks.progress import LineProgress
from coopgym.benchmarks.study import Study, expand, load_study

GAME = "TrustDilemma-v1"
ENV_STEPS = 50_000
"""Half of what the shipped study ``quick`` trains. Evaluation and files cost the same there: half of this share."""
SURFACE_GAMES = ["TrustDilemma-v1", "PlatformEcosystem-v1", "TeamProduction-v1", "ReciprocalDilemma-v1"]
"""One game of each mechanism class; with all constants and three reward modes, more than 1,200 runs."""


def c10(quick: bool = False) -> Ratio:
    """CPU time of a study that trains, evaluates and writes its corpus, against the same training called directly."""
    torch.set_num_threads(1)
    block = {"games": [GAME], "learners": [{"name": "IPPO", "env_steps": ENV_STEPS}]}
    study = Study.model_validate({"name": "training", "seeds": [99, 100, 101], "episodes": 8, "blocks": [block]})
    runs = expand(study)
    rewards, seeds = dict.fromkeys(run.reward for run in runs), dict.fromkeys(run.training_seed for run in runs)

    def through_the_harness() -> None:
        with TemporaryDirectory() as folder:
            complete(study, Path(folder))

    return compare(
        lambda: cpu_seconds(through_the_harness),
        lambda: cpu_seconds(lambda: IPPO().train(GAME, rewards, seeds, ENV_STEPS, view=runs[0].view)),
        quick,
        id="C10", title="training through the harness ÷ bare training loop", unit="CPU s", floor=1.10, aim=1.03,
        at_most=True,
    )  # fmt: skip


def c11(quick: bool = False) -> Ratio:
    """CPU time of running a finished study again, against its first run."""
    shipped = load_study("surface")
    blocks = [block.model_copy(update={"games": SURFACE_GAMES}) for block in shipped.blocks]
    study = shipped.model_copy(update={"blocks": blocks})
    with TemporaryDirectory() as place:
        finished, fresh = Path(place, "finished"), count()
        complete(study, finished)
        return compare(
            lambda: cpu_seconds(lambda: complete(study, finished)),
            lambda: cpu_seconds(lambda: complete(study, Path(place, str(next(fresh))))),
            quick,
            id="C11", title="a finished study again ÷ its first run", unit="CPU s", floor=0.05, aim=0.01, at_most=True,
        )  # fmt: skip


def complete(study: Study, folder: Path) -> None:
    """Run what a folder does not hold yet of a study.

    Raises:
        RuntimeError: a run failed, so that there is nothing to measure.
    """
    outcome = run_study(study, expand(study), folder, InProcess(), LineProgress(StringIO()))
    if outcome.failed:
        raise RuntimeError(f"{outcome.failed} runs of the study {study.name!r} failed: nothing to measure")
