"""From the options of a command to an executor."""

from __future__ import annotations

import math
import os
import re

from coopgym.benchmarks.execute.executors.base import Executor
from coopgym.benchmarks.execute.executors.in_process import InProcess
from coopgym.benchmarks.execute.executors.process_pool import ProcessPool
from coopgym.benchmarks.execute.executors.ray_cluster import RayCluster


def choose_executor(
    workers: int | None = None, device: str = "cpu", ray: str | None = None, gpus_per_job: float = 1.0
) -> Executor:
    """Return the executor that suits a user's options.

    Args:
        workers: how many jobs run at a time; 0 runs them in this process; None for as many as there are cores.
        device: where learners train.
        ray: which Ray cluster runs the jobs (`RayCluster.address`); None for this machine without Ray.
        gpus_per_job: share of a GPU that a training job on a Ray cluster reserves.

    Raises:
        ImportError: Ray is asked for and not installed.
        ValueError: an unknown device, or options that contradict each other.
    """
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise ValueError(f"device {device!r}: expected cpu, cuda or cuda:0, cuda:1, …")
    if not 0.0 < gpus_per_job < math.inf:
        raise ValueError(f"--gpus-per-job {gpus_per_job}: expected a positive share of a GPU, such as 0.25")
    if ray is not None:
        return RayCluster(ray, workers, device, gpus_per_job)
    if workers == 0:
        return InProcess(device)
    return ProcessPool(number_of_processes(workers), device)


def number_of_processes(workers: int | None) -> int:
    """Return how many processes a user asks for: as many as there are cores for this one, unless told."""
    if workers is not None:
        return workers
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
