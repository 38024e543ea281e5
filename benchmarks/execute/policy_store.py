"""Agents of finished runs: scripted ones by name, trained ones from the policies that a job left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coopgym.agents import make_agent
from coopgym.benchmarks.study import RunSpec, shipped_studies
from coopgym.corpus.manifest import POLICIES, shard_faults
from coopgym.corpus.reader import STUDY_FILE
from coopgym.corpus.shards import CROISSANT_FILE, read_json
from coopgym.corpus.writer import sync_folder
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic.unilateral_play import Agents

if TYPE_CHECKING:
    from coopgym.algorithms.common.learner_contract import PolicyAgent, Trained

    Policies = Sequence[PolicyAgent] | str
    """The agents of a learner's run, one per seat, or why they cannot be had."""


class LostAgentsError(RuntimeError):
    """The agents of a run cannot be had again; the message says why and what to do."""


def scripted(name: str, seats: int) -> Agents:
    """Return a factory of one fresh agent per seat, by name."""
    return lambda: [make_agent(name) for _ in range(seats)]


def copies(agents: Sequence[PolicyAgent]) -> Agents:
    """Return a factory of fresh agents with the same policies."""
    return lambda: [agent.fresh() for agent in agents]


def keep_policies(folder: Path, job_id: str, result: Trained) -> None:
    """Write a job's policies to their place in a folder of results, and make sure that they reached the disk."""
    place = folder / POLICIES / job_id
    result.save(place)
    for directory in (place, place.parent, folder):
        sync_folder(directory)


def agents_of(spec: RunSpec, job_id: str, folder: Path, *, stochastic: bool = False) -> Agents:
    """Return a factory of the agents that played a completed run.

    Args:
        spec: the run.
        job_id: the job that computed it.
        folder: the folder of results that holds it.
        stochastic: let trained agents draw their actions instead of playing the best guess.

    Raises:
        LostAgentsError: a user's agent cannot be imported, or a learner's policies are missing or damaged.
    """
    if spec.kind != "learner":
        try:
            make_agent(spec.algorithm)
        except (TypeError, ValueError, ImportError) as error:
            raise LostAgentsError(str(error)) from error
        return scripted(spec.algorithm, make_game(spec.game, **spec.parameters).n_agents)

    found = trained_agents(spec, job_id, folder, stochastic=stochastic)
    if isinstance(found, str):
        raise LostAgentsError(found)
    return copies(found)


def trained_agents(spec: RunSpec, job_id: str | None, folder: Path, *, stochastic: bool = False) -> Policies:
    """Return what a learner's run left, one agent per seat, or why it cannot be had.

    Args:
        spec: the run that trained.
        job_id: the job that computed it; None when the folder does not hold the run.
        folder: the folder of results.
        stochastic: as of `agents_of`.
    """
    from coopgym.algorithms.loading import load_agents

    if job_id is None:
        return f"{spec.path} has not been trained in {folder}; run the study without --only, or with it included"
    place, shard = folder / POLICIES / job_id, folder / "runs" / f"{job_id}.parquet"
    again = f"run the study again into another folder, or delete {shard} and run it again into this one"
    for file, fault in shard_faults(folder, job_id):
        if isinstance(file, Path) and place in file.parents:
            return fault
    if not place.exists() and (folder / CROISSANT_FILE).exists():
        return _unreleased(folder, spec.algorithm)
    if not place.exists():
        return f"{place} is missing: these runs were made before policies were kept; {again}"
    try:
        return load_agents(place, spec.replica, stochastic=stochastic)
    except (FileNotFoundError, ValueError) as error:
        return f"{error}; {again}"


def _unreleased(folder: Path, algorithm: str) -> str:
    """Say that a released corpus has no policies, and how to train them anew; alike for all runs of a learner."""
    study = (read_json(folder, STUDY_FILE) or {}).get("name")
    command = f"`coopgym run {study} --out {study}-again --only '*/{algorithm}/*'`"
    shipped = study in shipped_studies()
    train = f"train anew with {command} and use {study}-again" if shipped else "train anew, by a study of your own"
    return f"{folder.name}: released corpora keep no policies, {algorithm}'s neither; {train}, or choose other agents"
