"""Compute a job: play or train, and return the rows of its runs. A run that fails becomes a row, not an exception."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from coopgym.agents.base import Agent
from coopgym.benchmarks.audits import AUDITS, AuditOptions
from coopgym.benchmarks.execute.corpus_rows import Recorded, behaviour, step_table, turn_table, turns_of
from coopgym.benchmarks.execute.exploitability_columns import searched
from coopgym.benchmarks.execute.policy_store import copies, scripted
from coopgym.benchmarks.execute.scenario_runs import evaluation_episodes, meet
from coopgym.benchmarks.execute.stranger_runs import meet_strangers
from coopgym.benchmarks.metrics import WelfareInTime, evaluation_metrics, stochastic_metrics
from coopgym.benchmarks.progress import Report
from coopgym.benchmarks.provenance import versions
from coopgym.benchmarks.study import Job, RunSpec, Training, canonical_json
from coopgym.corpus.schema import DETAILS, TableName
from coopgym.corpus.writer import table_from_rows
from coopgym.games.registry import make_game
from coopgym.interrupts import is_interrupt
from coopgym.oracles.dynamic.unilateral_play import Agents
from coopgym.play.episodes import Episodes
from coopgym.rewards import reward_layer
from coopgym.user_code import account_of
from coopgym.worlds import FIXED

if TYPE_CHECKING:
    from coopgym.algorithms.common.learner_contract import Trained

CHECKPOINT_SECONDS = 60.0
"""Least time between checkpoints of a training: a kill loses little more, and large buffers are not written often."""

RunRow = dict[str, Any]


@dataclass(frozen=True)
class JobResult:
    """The rows of a finished job, table by table."""

    tables: dict[TableName, pa.Table]
    policies: Trained | None = None
    """What a learner left, to be kept beside the tables."""

    @property
    def failures(self) -> int:
        """Number of runs that raised."""
        return sum(status == "failed" for status in self.tables["runs"].column("status").to_pylist())


@dataclass(frozen=True)
class _Run:
    """What one run adds to the tables."""

    row: RunRow
    details: Mapping[TableName, pa.Table] = field(default_factory=dict)


def compute(job: Job, study: str, device: str = "cpu", report: Report = lambda fraction: None) -> JobResult:
    """Compute all runs of a job.

    Args:
        job: what to run.
        study: name written into the rows.
        device: where learners train.
        report: called with the finished fraction now and then.
    """
    started = datetime.now(UTC)
    if job.training:
        runs, policies = _train(job, job.training, device, report)
    else:
        runs, policies = list(_play(job, report)), None
    common = {"study": study, "device": device, "replica_group": job.id, "started_at": started, **versions()}
    tables: dict[TableName, pa.Table] = {"runs": table_from_rows("runs", [common | run.row for run in runs])}
    for name in DETAILS:
        if parts := [run.details[name] for run in runs if name in run.details]:
            tables[name] = pa.concat_tables(parts)
    return JobResult(tables, policies)


def _play(job: Job, report: Report) -> Iterable[_Run]:
    plays: dict[tuple[Any, ...], list[RunSpec]] = {}
    for spec in job.specs:
        plays.setdefault(spec.play_key, []).append(spec)
    for done, readings in enumerate(plays.values(), start=1):
        try:
            runs = list(_readings(readings, job))
        except BaseException as error:
            runs = [_failed(spec, error) for spec in readings]
        yield from runs
        report(done / len(plays))


def _readings(specs: Sequence[RunSpec], job: Job) -> Iterable[_Run]:
    """Compute once what several runs read."""
    begun, head = time.perf_counter(), specs[0]
    if head.strangers:
        columns = meet_strangers(head, head.strangers, job.policies)
        outcome = {"status": "completed", "wall_seconds_eval": time.perf_counter() - begun}
        yield from (_Run(_identity(spec) | outcome | columns) for spec in specs)
    elif head.meeting:
        met = meet(head, job.policies)
        outcome = {"status": "completed", "wall_seconds_eval": time.perf_counter() - begun}
        for spec in specs:
            yield _Run(_identity(spec) | outcome | met.columns, _played(spec, met.recorded) | _said(spec, met.turns))
    elif head.audit:
        game, options = make_game(head.game, **head.parameters), AuditOptions(**head.audit.options)
        audited = AUDITS[head.protocol](game, head.reward, head.seed, options)
        outcome = {"status": "completed", "wall_seconds_eval": time.perf_counter() - begun}
        for spec in specs:
            details = {name: of_run(spec.run_id, table) for name, table in audited.tables.items()}
            yield _Run(_identity(spec) | outcome | audited.columns, details)
    else:
        agents = scripted(head.algorithm, make_game(head.game, **head.parameters).n_agents)
        evaluation = _evaluate(head, agents())
        yield from (_completed(spec, evaluation, agents) for spec in specs)


def _train(job: Job, training: Training, device: str, report: Report) -> tuple[list[_Run], Trained | None]:
    specs, begun = job.specs, time.perf_counter()
    try:
        result = training.made.train(
            specs[0].game,
            rewards=dict.fromkeys(spec.replica[0] for spec in specs),
            seeds=dict.fromkeys(spec.replica[1] for spec in specs),
            env_steps=training.env_steps,
            game_parameters=specs[0].parameters,
            view=specs[0].view,
            device=device,
            progress=lambda done, total: report(done / total),
            checkpoint=job.checkpoint,
            checkpoint_every=1,
            checkpoint_seconds=CHECKPOINT_SECONDS,
        )
    except BaseException as error:
        return [_failed(spec, error) for spec in specs], None
    seconds = (time.perf_counter() - begun) / len(specs)
    return list(_evaluated(specs, result, seconds)), result


def _evaluated(specs: Sequence[RunSpec], result: Trained, seconds: float) -> Iterable[_Run]:
    for spec in specs:
        replica = spec.replica
        curve = table_from_rows(
            "curves",
            [
                {"run_id": spec.run_id, "step": step, "metric": metric, "value": value}
                for step, metric, value in result.curves(replica)
            ],
        )
        trained: dict[TableName, pa.Table] = {"curves": curve, **_said(spec, result.transcript(replica))}
        summary: RunRow = {
            "hyperparameters": canonical_json(result.hyperparameters),
            "objective": result.hyperparameters.get("objective"),
            "wall_seconds_train": seconds,
            "env_steps": result.env_steps,
            "gradient_updates": result.gradient_updates,
        }
        diverged_at = result.diverged_at(replica)
        if diverged_at is not None:
            outcome: RunRow = {"status": "diverged", "diverged_at_step": diverged_at}
            yield _Run(_identity(spec) | summary | outcome, trained)
            continue
        try:
            agents = copies(result.agents(replica))
            run = _completed(spec, _evaluate(spec, agents()), agents)
            drawn = _drawn(spec, result.agents(replica, stochastic=True))
        except BaseException as error:
            run, drawn = _failed(spec, error), _Run({})
        yield _Run(run.row | drawn.row | summary, _joined(trained, run.details, drawn.details))


def _drawn(spec: RunSpec, agents: Sequence[Agent]) -> _Run:
    """Evaluate with actions drawn from the policies, if the run asks for it; its episodes follow those of the run."""
    if not spec.stochastic_episodes:
        return _Run({})
    episodes = _evaluate(replace(spec, episodes=spec.stochastic_episodes), agents).episodes
    seats = [behaviour(spec, drawn=True)] * len(agents)
    metrics = stochastic_metrics(episodes, spec.reward)
    if episodes.trajectory is None:
        return _Run(metrics)
    recorded = Recorded(episodes.trajectory, seats, spec.episodes)
    turns = turns_of(agents, episodes.lengths, first_episode=spec.episodes)
    return _Run(metrics, _played(spec, [recorded]) | _said(spec, turns))


def _joined(*details: Mapping[TableName, pa.Table]) -> dict[TableName, pa.Table]:
    """Return the details of several, one after the other."""
    names = {name: None for each in details for name in each}
    return {name: pa.concat_tables([each[name] for each in details if name in each]) for name in names}


@dataclass(frozen=True)
class _Evaluation:
    """Episodes that were played, by whom, how long it took, and what welfare was in time where that is kept."""

    episodes: Episodes
    agents: Sequence[Agent]
    seconds: float
    in_time: RunRow


def _evaluate(spec: RunSpec, agents: Sequence[Agent]) -> _Evaluation:
    begun = time.perf_counter()
    welfare = None if spec.world == FIXED else WelfareInTime(spec.world)
    episodes = evaluation_episodes(spec, make_game(spec.game, **spec.parameters), agents, welfare)
    in_time = {} if welfare is None else welfare.columns()
    return _Evaluation(episodes, agents, time.perf_counter() - begun, in_time)


def _completed(spec: RunSpec, evaluation: _Evaluation, agents: Agents) -> _Run:
    episodes = evaluation.episodes
    outcome = {"status": "completed", "wall_seconds_eval": evaluation.seconds}
    seats = [behaviour(spec)] * len(evaluation.agents)
    recorded = [Recorded(episodes.trajectory, seats)] if episodes.trajectory else []
    details = _played(spec, recorded) | _said(spec, turns_of(evaluation.agents, episodes.lengths))
    exploited = searched(spec, agents, "quick") if spec.exploitability else {}
    measured = evaluation_metrics(episodes, spec.reward) | evaluation.in_time
    return _Run(_identity(spec) | outcome | measured | exploited, details)


def _played(spec: RunSpec, recorded: Sequence[Recorded]) -> dict[TableName, pa.Table]:
    return {"steps": pa.concat_tables([step_table(spec.run_id, each) for each in recorded])} if recorded else {}


def _said(spec: RunSpec, turns: Sequence[Mapping[str, Any]]) -> dict[TableName, pa.Table]:
    return {"turns": turn_table(spec.run_id, turns)} if turns else {}


def of_run(run_id: str, details: pa.Table) -> pa.Table:
    """Return detail rows with the run that they belong to in the first column."""
    return details.add_column(0, "run_id", pa.repeat(run_id, len(details)))


def _failed(spec: RunSpec, error: BaseException) -> _Run:
    """Record what ended a run, whatever agents raise: one that exits the interpreter fails like the others.

    Raises:
        KeyboardInterrupt: the user wants to stop.
    """
    if is_interrupt(error):
        raise error
    return _Run(_identity(spec) | {"status": "failed", "error": account_of(error)})


def _identity(spec: RunSpec) -> RunRow:
    game = make_game(spec.game, **spec.parameters).spec
    settings = spec.training.settings if spec.training else {}
    return {
        "run_id": spec.run_id,
        "algorithm": spec.algorithm,
        "algorithm_kind": spec.kind,
        **game.columns(),
        "env_parameters": spec.parameters_json,
        "reward_mode": spec.reward,
        "reward_transform": " + ".join(spec.transforms) or None,
        "view": spec.view,
        "seed": spec.seed,
        "episodes": spec.episodes,
        "hyperparameters": canonical_json(settings),
        "protocol": spec.protocol,
        "scenario": spec.scenario,
        "background": [player.name for player in spec.meeting.background] if spec.meeting else None,
        "mutuality": reward_layer(spec.reward).degree,
        "identity": spec.key.text,
    }
