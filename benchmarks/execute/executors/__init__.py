"""Where jobs run: one interface, so that a study does not know how many workers it has, or on which machines.

This package is the first that a worker process imports, so it imports nothing heavy itself.
"""

from coopgym.benchmarks.execute.executors.base import Executor, WorkerDiedError
from coopgym.benchmarks.execute.executors.choice import choose_executor, number_of_processes
from coopgym.benchmarks.execute.executors.in_process import InProcess
from coopgym.benchmarks.execute.executors.process_pool import ProcessPool, worker_pool
from coopgym.benchmarks.execute.executors.ray_cluster import RayCluster

__all__ = [
    "Executor",
    "InProcess",
    "ProcessPool",
    "RayCluster",
    "WorkerDiedError",
    "choose_executor",
    "number_of_processes",
    "worker_pool",
]
