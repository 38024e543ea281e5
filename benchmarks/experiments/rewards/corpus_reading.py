"""Which rewards the behaviour of finished runs looks like it is optimising."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coopgym.agents.foreign_names import names_from_data
from coopgym.benchmarks.execute.exploit import ExploitRow, Selection, SelectionError, run_rows, spec_of
from coopgym.benchmarks.execute.policy_store import LostAgentsError, agents_of
from coopgym.benchmarks.experiments.rewards.reading import MODES, USUAL, Reading, ReadingSettings, read_reward
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.reader import load_corpus, locate
from coopgym.corpus.schema import is_self_play
from coopgym.games.registry import make_game
from coopgym.rewards import RewardLayer


@dataclass(frozen=True, eq=False)
class RunReading:
    """What was read from a run."""

    agent: str
    trained_on: str
    """Its reward mode; agents that do not learn have one too, which they are told."""
    seed: int
    reading: Reading

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a tidy row per seat and reward, of every seat the nearest first."""
        for seat, reward in self.reading.nearest_first():
            value = self.reading.of(seat, reward)
            yield {
                "game": self.reading.game,
                "agent": self.agent,
                "trained_on": self.trained_on,
                "seed": self.seed,
                "seat": seat,
                "reward": self.reading.rewards[reward],
                "distance": value.value,
                "low": value.low,
                "high": value.high,
                "episodes": value.n,
                "cloned": self.reading.settings.cloned,
                "gamma": self.reading.settings.gamma,
            }


@dataclass(frozen=True, eq=False)
class CorpusReading:
    """What was read from runs of a corpus, and why some could not be."""

    runs: list[RunReading]
    faults: list[str]
    """Each reason once."""


def read_corpus(
    corpus: str | Path,
    selection: Selection,
    rewards: Sequence[str | RewardLayer] = MODES,
    settings: ReadingSettings = USUAL,
    *,
    watch: Callable[[float], None] = lambda share: None,
) -> CorpusReading:
    """Read the rewards of the selected runs of a corpus from how their agents play now.

    Args:
        corpus: as of `coopgym.load_corpus`; the runs of learners need their policies, which are in a folder that
            ``coopgym run`` wrote.
        selection: which of its runs.
        rewards: modes that behaviours are held against.
        settings: how they are read.
        watch: is told the share that is done.

    Raises:
        CorpusError: there is no corpus, it is damaged, or it is no folder.
        SelectionError: no completed run in self-play fits.
        ValueError: as `read_reward`.
    """
    load_corpus(corpus)
    folder = locate(corpus)
    if not isinstance(folder, Path):
        raise CorpusError(f"{corpus}: expected a folder, where policies lie beside runs; unpack or copy it first")
    rows = [row for row in run_rows(folder) if row["status"] == "completed" and is_self_play(row)]
    if not rows:
        raise SelectionError(f"{folder}: no run in self-play is completed; run the study again")
    chosen = selection.of(rows)
    found, faults = list[RunReading](), dict[str, None]()
    for number, row in enumerate(chosen):
        watch(number / len(chosen))
        try:
            found.append(_read(row, folder, rewards, settings))
        except LostAgentsError as error:
            faults[str(error)] = None
    return CorpusReading(found, list(faults))


def _read(row: ExploitRow, folder: Path, rewards: Sequence[str | RewardLayer], settings: ReadingSettings) -> RunReading:
    spec = spec_of(row)
    with names_from_data(trust=False):
        agents = agents_of(spec, row["job"], folder, stochastic=True)
        reading = read_reward(make_game(spec.game, **spec.parameters), agents, rewards, settings)
    return RunReading(spec.algorithm, spec.reward, spec.seed, reading)
