"""Recorded episodes as arrays, to learn from: chosen by what is known of them, read when they are asked for."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.agents import Seat
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.reader import Corpus, load_corpus
from coopgym.corpus.recorded_steps import StepIndex, StepReader
from coopgym.corpus.schema import worlds_of
from coopgym.corpus.table import CorpusTable
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.play import play
from coopgym.strict_json import parse_json
from coopgym.typing import FloatArray, IntArray

Words: TypeAlias = str | Collection[str]
"""A word, or several of which one has to fit."""
ShortArray: TypeAlias = npt.NDArray[np.float32]

_NUMBERS = ("action", "share", "action_logprob", "reward", "payoff")
_CONTENT = (*_NUMBERS, "observation", "final_observation", "terminated", "truncated")
_LISTED = 12
"""Values that a message names."""
_SAME = (1e-6, 1e-6)
"""Relative and absolute difference of numbers that were recorded in single precision."""


@dataclass(frozen=True, eq=False)
class Episode:
    """One episode: T steps, N seats, observations of d numbers. Its arrays are the receiver's."""

    run_id: str
    number: int
    """Of the episode in its run, from 0."""
    game: str
    """Id with its version."""
    parameters: Mapping[str, Any]
    """Game parameters that differ from the game's own."""
    reward: str
    view: str
    behaviour: tuple[str, ...]
    """``(N,)`` who chose the actions of each seat: an agent's name, or the run that trained it, with ``:drawn`` after
    it where actions were drawn from the policy instead of its best guess."""
    observations: ShortArray
    """``(T + 1, N, d)`` what seats saw before each step, and after the last."""
    actions: FloatArray
    """``(T, N)`` shares of the endowments."""
    logprobs: FloatArray
    """``(T, N)`` log-density of the shares for who drew them, or log-probability of those that have one; NaN where
    nothing was drawn, or nobody says."""
    rewards: FloatArray
    """``(T, N)`` in the run's reward mode."""
    payoffs: FloatArray
    """``(T, N)`` material payoffs."""
    terminated: bool
    """The relation ended with the last step: there is no future to value."""
    truncated: bool
    """The horizon was reached with the last step."""

    def __len__(self) -> int:
        return len(self.actions)

    @property
    def seats(self) -> tuple[str, ...]:
        """``(N,)`` roles of the seats."""
        return self.recover_game().spec.roles

    @property
    def returns(self) -> FloatArray:
        """Undiscounted return of every seat, ``(N,)``."""
        returns: FloatArray = self.rewards.sum(0)
        return returns

    def recover_game(self) -> AnyGame:
        """Make the game that was played.

        Raises:
            ValueError, TypeError: this coopgym does not know the game, or not its parameters.
        """
        return make_game(self.game, **self.parameters)


class EpisodeDataset:
    """The recorded episodes of a corpus, in its order.

    Keys of steps are read at once; observations, the bulk, when an episode is asked for, with its row group of the
    file. Read one after the other, and in samples, each row group is read once.

    Args:
        corpus: a corpus, or what `coopgym.load_corpus` opens.

    Raises:
        CorpusError: it cannot be read, or an episode is incomplete.
        ValueError: it holds no recorded episodes.

    >>> EpisodeDataset("audit-v0")
    Traceback (most recent call last):
        ...
    ValueError: ...audit-v0: no recorded episodes; run the study with record_steps = true
    """

    def __init__(self, corpus: Corpus | str | Path) -> None:
        opened = corpus if isinstance(corpus, Corpus) else load_corpus(corpus)
        self._index = StepIndex.of(opened)
        self._reader = StepReader(self._index.places, _CONTENT, opened.max_bytes)
        self._chosen: IntArray = np.arange(len(self._index.first))

    def __len__(self) -> int:
        return len(self._chosen)

    def __iter__(self) -> Iterator[Episode]:
        return (self._episode(int(number)) for number in self._chosen)

    def __getitem__(self, position: int) -> Episode:
        return self._episode(int(self._chosen[position]))

    def __repr__(self) -> str:
        games = self.runs.column("environment").unique().to_pylist()
        return (
            f"EpisodeDataset of {len(self):,} episodes from {len(self.runs):,} runs of {', '.join(games) or 'no game'}"
        )

    def filter(
        self,
        *,
        game: Words | None = None,
        world: Words | None = None,
        algorithm: Words | None = None,
        reward: Words | None = None,
        seed: int | Collection[int] | None = None,
        view: Words | None = None,
        protocol: Words | None = None,
        scenario: Words | None = None,
        behaviour: Words | None = None,
        min_return: float = -np.inf,
        max_return: float = np.inf,
    ) -> EpisodeDataset:
        """Keep the episodes that fit everything asked for; where several values are given, one of them.

        Args:
            game: id of the game.
            world: ``"fixed"``, or how costs and synergy were drawn.
            algorithm: name under which the run is compared.
            reward: reward mode.
            seed: replicate number from the study.
            view: what seats saw.
            protocol: what the run did, such as ``"self_play"`` or ``"scenario"``.
            scenario: its name, for runs among other agents.
            behaviour: who chose the actions of at least one seat (`Episode.behaviour`).
            min_return: least return, summed over seats.
            max_return: greatest return, summed over seats.

        Raises:
            TypeError: an unknown filter.
            ValueError: a value that no episode of the corpus has; tells those that there are.
        """
        facts = {
            "environment": ("game", game),
            "world": ("world", world),
            "algorithm": ("algorithm", algorithm),
            "reward_mode": ("reward", reward),
            "seed": ("seed", seed),
            "view": ("view", view),
            "protocol": ("protocol", protocol),
            "scenario": ("scenario", scenario),
        }
        index = self._index
        kept = (index.returns >= min_return) & (index.returns <= max_return)
        for column, (name, asked) in facts.items():
            if asked is not None:
                values = self._facts(column)
                kept &= np.isin(values, _known(name, asked, set(values.tolist()) - {""}))
        if behaviour is not None:
            kept &= index.with_any_of(_known("behaviour", behaviour, set(index.behaviours)))
        return self._of(self._chosen[kept[self._chosen]])

    def sample(self, n: int, rng: np.random.Generator) -> list[Episode]:
        """Draw ``n`` different episodes, each as likely as any other, in random order.

        Raises:
            ValueError: there are fewer.
        """
        if not 0 <= n <= len(self):
            raise ValueError(f"n={n}: there are {len(self)} episodes to draw from")
        drawn = self._chosen[rng.choice(len(self), n, replace=False)].tolist()
        read = {number: self._episode(number) for number in sorted(drawn)}
        return [read[number] for number in drawn]

    def recover_game(self) -> AnyGame:
        """Make the game that all these episodes are of.

        Raises:
            ValueError, TypeError: they are of several games, or of none, or of one that this coopgym does not know.
        """
        names = self.runs.column("environment").to_pylist(), self.runs.column("env_parameters").to_pylist()
        played = sorted(set(zip(*names, strict=True)))
        if len(played) != 1:
            listed = "; ".join(f"{id} {parameters}" for id, parameters in played[:_LISTED])
            raise ValueError(f"expected episodes of one game with one set of parameters, got {len(played)}: {listed}")
        return _game(*played[0])

    @property
    def runs(self) -> CorpusTable:
        """The runs that these episodes are from."""
        return CorpusTable(self._index.runs.take(pa.array(np.unique(self._index.run[self._chosen]))))

    @property
    def returns(self) -> FloatArray:
        """Return of every episode in its run's reward mode, summed over seats, ``(len,)``."""
        return self._index.returns[self._chosen]

    @property
    def behaviours(self) -> tuple[str, ...]:
        """Everybody who chose actions in these episodes, sorted."""
        return tuple(sorted({name for number in self._chosen for name in self._index.seated_in(number)}))

    def _of(self, chosen: IntArray) -> EpisodeDataset:
        part = object.__new__(type(self))
        part._index, part._reader, part._chosen = self._index, self._reader, chosen
        return part

    def _facts(self, column: str) -> npt.NDArray[Any]:
        """A column of the runs, one entry per episode of the corpus; empty where it does not apply."""
        values = worlds_of(self._index.runs) if column == "world" else self._index.runs.column(column)
        if pa.types.is_string(values.type):
            values = pc.fill_null(values, "self_play" if column == "protocol" else "")
        return values.to_numpy()[self._index.run]

    def _episode(self, number: int) -> Episode:
        index = self._index
        run = index.run_of(number)
        rows = self._reader.read(index.shard[number], index.first[number], index.rows[number])
        shape = -1, run["n_agents"]
        numbers = {name: rows.column(name).to_numpy().astype(np.float64).reshape(shape) for name in _NUMBERS}
        if np.isnan(numbers["share"]).any():  # before schema 1.4
            numbers["share"] = numbers["action"] / _game(run["environment"], run["env_parameters"]).spec.endowments
        seen = _vectors(rows.column("observation"))
        last = rows.column("final_observation").slice(len(rows) - run["n_agents"])
        observations = seen.reshape(*shape, seen.shape[-1])
        final = _replayed(run, int(index.episode[number]), numbers, observations) if last.null_count else _vectors(last)
        return Episode(
            run_id=run["run_id"],
            number=int(index.episode[number]),
            game=run["environment"],
            parameters=parse_json(run["env_parameters"]),
            reward=run["reward_mode"],
            view=run["view"],
            behaviour=index.seated_in(number),
            observations=np.concatenate([observations, final[None]]),
            actions=numbers["share"],
            logprobs=numbers["action_logprob"],
            rewards=numbers["reward"],
            payoffs=numbers["payoff"],
            terminated=rows.column("terminated")[-1].as_py(),
            truncated=rows.column("truncated")[-1].as_py(),
        )


class _Repeats:
    """An agent that plays shares ``(T,)`` one after the other, and then the last."""

    def __init__(self, shares: FloatArray) -> None:
        self._shares = chain(shares, repeat(shares[-1]))

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        """Take the seat of one episode."""

    def act(self, observation: FloatArray) -> FloatArray:
        """Return the next share."""
        return np.array([next(self._shares)])


def _replayed(
    run: Mapping[str, Any], number: int, numbers: Mapping[str, FloatArray], observations: ShortArray
) -> ShortArray:
    """Return what seats saw after the last step ``(N, d)``, which was not recorded before schema 1.5, by playing again.

    Raises:
        CorpusError: what is played again is not what was recorded.
    """
    game = _game(run["environment"], run["env_parameters"])
    # Before schema 1.3 nobody noted the seed; games without chance need none.
    seed = parse_json(run["identity"] or "{}").get("evaluation_seed", 0) + number
    agents = [_Repeats(shares) for shares in numbers["share"].T]
    again = play(game, agents, reward=run["reward_mode"], views=run["view"], seed=seed, record=True).trajectory
    assert again is not None
    pairs = ((again.observations[:, 0], observations), (again.payoffs[:, 0], numbers["payoff"]))
    if not all(new.shape == old.shape and np.allclose(new, old, *_SAME) for new, old in pairs):
        raise CorpusError(
            f"run {run['run_id']}, episode {number}: its last observation was not recorded (schema before 1.5), and "
            f"{game.id} played again with its actions goes another way; record it anew, or filter it out"
        )
    return again.final_observations[0].astype(np.float32)


@lru_cache(maxsize=64)
def _game(id: str, parameters: str) -> AnyGame:
    return make_game(id, **parse_json(parameters))


def _vectors(column: pa.ChunkedArray) -> ShortArray:
    """Return a column of lists of one length as ``(rows, length)``.

    Raises:
        CorpusError: they are of several lengths.
    """
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    if len(lengths) != 1:
        raise CorpusError(f"observations of {sorted(lengths)} numbers in one episode; restore its file")
    return pc.list_flatten(column).to_numpy().reshape(len(column), lengths[0])


def _known(name: str, asked: Any, known: Collection[Any]) -> list[Any]:
    """Return what is asked for as a list.

    Raises:
        ValueError: something that is not known.
    """
    values = [asked] if isinstance(asked, str | int) else list(asked)
    for value in values:
        if value not in known:
            there = sorted(known)
            near = difflib.get_close_matches(str(value), [str(each) for each in there], n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            listed = ", ".join(repr(each) for each in there[:_LISTED]) + (", …" if len(there) > _LISTED else "")
            raise ValueError(f"{name}={value!r}: no recorded episode has it; {hint}there are: {listed or 'none'}")
    return values
