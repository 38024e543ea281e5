"""Matches that a corpus keeps: what it holds is read, what it lacks is played and added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.benchmarks.execute.job_runner import compute
from coopgym.benchmarks.execute.store import RunStore
from coopgym.benchmarks.progress import Report
from coopgym.benchmarks.score.failures import last_line
from coopgym.benchmarks.score.scenarios import AMONG
from coopgym.benchmarks.study import Meeting, RunSpec, group
from coopgym.benchmarks.study import Player as SeatedPlayer
from coopgym.benchmarks.study.agent_info import agent_info
from coopgym.benchmarks.tournament.matches import MEASURES, Measures, Venue, match_seed
from coopgym.benchmarks.tournament.participants import Player
from coopgym.corpus.schema import is_self_play
from coopgym.corpus.shards import read_shard, run_shards

STUDY = "tournament"
"""What corpora call the study of matches. No file describes it: matches meet another chance than runs of studies."""


class FailedMatchesError(RuntimeError):
    """Agents raised something in some matches; the message says who, where and what. The others are kept."""


class MatchSpec(RunSpec):
    """A match as a run: a focal agent among copies of another, or self-play."""

    @property
    def evaluation_seed(self) -> int:
        """Seed of its plays, the same as in a match that nobody keeps."""
        return match_seed(self.game, self.parameters_json, self.seed)


def measures_of(
    venue: Venue, focal: Sequence[Player], background: Sequence[Player], report: Report, runs: Path | None
) -> Measures:
    """Return what comes of all matches, which are played, or read from a corpus that keeps them.

    Args:
        venue: where.
        focal: K players who sit alone.
        background: P players who fill all other seats.
        report: told the finished fraction now and then.
        runs: folder of the corpus; None keeps nothing.

    Raises:
        ValueError: somebody who is to be kept is no name.
        FailedMatchesError: an agent raised something, and matches are kept; otherwise whatever it raised.
        FolderInUseError: another process writes to the folder.
        OtherStudyError: it holds runs of a study.
        CorpusError: it is damaged.
    """
    if runs is None:
        return venue.measures(focal, background, report)
    first = venue.seeds[0]
    specs = [
        [
            [_spec(venue, *pair, seed if venue.draws(*pair) else first) for pair in product([one], background)]
            for one in focal
        ]
        for seed in venue.seeds
    ]
    rows = _rows(runs, {spec.run_id: spec for table in specs for line in table for spec in line}, report)
    values = np.array([[[_outcome(rows[spec.run_id]) for spec in line] for line in table] for table in specs])
    return dict(zip(MEASURES, np.moveaxis(values, -1, 0), strict=True))


def _spec(venue: Venue, focal: Player, background: Player, seed: int) -> MatchSpec:
    names = tuple(_kept_name(player) for player in (focal, background))
    alone = names[0] == names[1]
    meeting = Meeting(f"{AMONG}{names[1]}", SeatedPlayer(names[0]), (SeatedPlayer(names[1]),))
    return MatchSpec(
        game=venue.game.id,
        parameters=venue.game.overridden(),
        algorithm=names[0],
        kind=agent_info(names[0]).kind,
        reward=venue.layer.name,
        view=venue.view,
        seed=seed,
        episodes=venue.episodes if venue.draws(focal, background) else 1,
        protocol="self_play" if alone else "scenario",
        meeting=None if alone else meeting,
    )


def _kept_name(player: Player) -> str:
    if player.text is None:
        raise ValueError("only matches of agents with names can be kept: a corpus says who played")
    return player.text


def _rows(folder: Path, specs: Mapping[str, MatchSpec], report: Report) -> Mapping[str, Mapping[str, Any]]:
    """Return the rows of some matches by id; those that are not there yet are played first."""
    with RunStore(folder, STUDY, "--runs") as store:
        store.drop_replaced(store.superseded(specs.values()))  # and those that failed
        held = store.finished()
        done, jobs = 0.0, group(spec for run_id, spec in specs.items() if run_id not in held)
        for job in jobs:
            store.write(job, compute(job, STUDY))
            done += len(job.specs) / sum(len(each.specs) for each in jobs)
            report(done)
        rows = {row["run_id"]: row for shard in run_shards(folder) for row in read_shard(shard, "runs").to_pylist()}
    failed = [spec for run_id, spec in specs.items() if rows[run_id]["status"] == "failed"]
    if failed:
        raise FailedMatchesError("\n".join(dict.fromkeys(_fault(spec, rows[spec.run_id]) for spec in failed)))
    return rows


def _fault(spec: MatchSpec, row: Mapping[str, Any]) -> str:
    """The same for all seeds."""
    return f"{spec.algorithm} in {spec.game}, {spec.scenario or 'self-play'}: {last_line(row['error'])}"


def _outcome(row: Mapping[str, Any]) -> list[float]:
    """What a row of ``runs`` says of a match, in the order of `MEASURES`; among its own copies an agent is both."""
    told = {**row, "length": row["episode_length"]}
    if is_self_play(row):
        seats = {"return": "seat_returns", "payoff": "seat_payoffs", "cooperation": "seat_cooperation"}
        means = {what: float(np.mean(row[column])) for what, column in seats.items()}
        told |= {f"{side}_{what}": mean for side in ("focal", "background") for what, mean in means.items()}
    return [told[name] for name in MEASURES]
