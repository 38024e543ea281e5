"""Make what populations need: policies of trained partners, then the anchors of all scenarios, piece by piece.

Every piece is on disk before the next one is begun, and what is there and still fits is not made again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field

from coopgym.benchmarks.execute.executors import worker_pool
from coopgym.benchmarks.execute.store import lock_folder
from coopgym.benchmarks.progress import Progress
from coopgym.benchmarks.strangers.anchors import anchored, fits, scenario_digest
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic.deviation_search import EffortName
from coopgym.strangers import (
    POPULATIONS,
    Anchor,
    Population,
    StrangersScenario,
    population,
    read_anchors,
    scenarios,
    strangers_folder,
)
from coopgym.strangers.anchors import write_anchors
from coopgym.strangers.partners import partner_cards
from coopgym.strangers.policies import policies_file, policies_of

TRAINING_SECONDS = 10.0
"""Rough duration of the training of a population in a game of two seats, on one core."""


@dataclass(frozen=True)
class BuildRequest:
    """What to build."""

    games: tuple[str, ...]
    populations: tuple[str, ...] = ("test",)
    """Whose anchors are wanted; policies are made for all."""
    effort: EffortName = "full"
    """Of searches for best responses; what was searched less thoroughly is searched again."""
    seconds: float = float("inf")
    """After which no further piece is begun."""
    workers: int = 0
    """Processes for anchors; 0 computes them in this one."""


@dataclass
class Built:
    """What a call has made."""

    trained: int = 0
    """Populations of games."""
    anchors: int = 0
    left: int = 0
    """Pieces that time was too short for."""
    faults: dict[str, str] = field(default_factory=dict)
    """Pieces that failed, and why."""


@dataclass(frozen=True)
class TrainingPiece:
    """The trained partners of a population in one game."""

    game: str
    population: str

    @property
    def id(self) -> str:
        return f"{self.game}/{self.population}"

    @property
    def specs(self) -> tuple[str]:
        return (self.id,)

    @property
    def expected_seconds(self) -> float:
        return TRAINING_SECONDS * make_game(self.game).n_agents / 2

    def compute(self) -> None:
        """Train, and add the policies to those of the game."""
        from coopgym.algorithms.strangers import train_partners, write_policies

        folder = strangers_folder()
        made = train_partners(self.game, self.population, partner_cards(folder)[self.population])
        write_policies(policies_file(folder, self.game), {**policies_of(folder, self.game), **made})


@dataclass(frozen=True)
class AnchorPiece:
    """The anchor of one scenario."""

    scenario: StrangersScenario
    population: Population
    digest: str
    effort: EffortName

    @property
    def id(self) -> str:
        return f"{self.scenario.game}/{self.population.name}/{self.scenario.name}"

    @property
    def specs(self) -> tuple[str]:
        return (self.id,)

    @property
    def expected_seconds(self) -> float:
        spec = make_game(self.scenario.game).spec
        return spec.horizon * (0.025 + 0.01 * len(spec.endowments))

    def compute(self) -> Anchor:
        """Search and value."""
        return anchored(self.scenario, self.digest, self.effort)


@dataclass(frozen=True)
class Finished:
    """What became of a piece, as progress asks."""

    failures: int = 0


def build(request: BuildRequest, trainings: Progress, searches: Progress) -> Built:
    """Train the partners who have to be and compute the anchors that are missing or no longer fit.

    Args:
        request: what to build.
        trainings: told of the first part.
        searches: told of the second.

    Raises:
        ImportError: torch is not installed and somebody has to be trained.
        FolderInUseError: another process builds.
        ValueError: no such game or population.
    """
    ends, built, folder = time.monotonic() + request.seconds, Built(), strangers_folder()
    with lock_folder(folder):
        _train(list(_untrained(request)), ends, built, trainings)
        _search(list(_unanchored(request)), ends, request.workers, built, searches)
    return built


def _untrained(request: BuildRequest) -> Iterator[TrainingPiece]:
    for game in request.games:
        yield from (TrainingPiece(game, name) for name in POPULATIONS if population(game, name).untrained)


def _train(pieces: Sequence[TrainingPiece], ends: float, built: Built, progress: Progress) -> None:
    progress.begin(pieces)
    try:
        for piece in pieces:
            if time.monotonic() > ends:
                built.left += 1
                continue
            piece.compute()
            built.trained += 1
            progress.finish(piece, Finished())
    finally:
        progress.end()


def _unanchored(request: BuildRequest) -> Iterator[AnchorPiece]:
    for game in request.games:
        for name in request.populations:
            strangers = population(game, name)
            held = read_anchors(strangers)
            for scenario in scenarios(strangers):
                digest, anchor = scenario_digest(scenario, strangers), held.get(scenario.name)
                if anchor is None or not fits(anchor, digest, request.effort):
                    yield AnchorPiece(scenario, strangers, digest, request.effort)


def _search(pieces: Sequence[AnchorPiece], ends: float, workers: int, built: Built, progress: Progress) -> None:
    progress.begin(pieces)
    try:
        for piece, anchor, fault in _computed(pieces, ends, workers):
            if anchor is None:
                built.faults[piece.id] = fault
            else:
                _keep(piece.population, anchor)
                built.anchors += 1
            progress.finish(piece, Finished(failures=int(anchor is None)))
    finally:
        progress.end()
    built.left += len(pieces) - built.anchors - len(built.faults)


def _keep(strangers: Population, anchor: Anchor) -> None:
    """Put an anchor among those of its population, in the order of scenarios, without those that no scenario needs."""
    held = {**read_anchors(strangers), anchor.scenario: anchor}
    write_anchors(strangers, [held[each.name] for each in scenarios(strangers) if each.name in held])


_Computed = tuple[AnchorPiece, Anchor | None, str]


def _computed(pieces: Sequence[AnchorPiece], ends: float, workers: int) -> Iterator[_Computed]:
    if not workers or not pieces:
        for piece in pieces:
            if time.monotonic() > ends:
                return
            yield _attempt(piece)
        return
    with worker_pool(min(workers, len(pieces))) as pool:
        futures = [pool.submit(_attempt, piece) for piece in pieces]
        for future in as_completed(futures):
            yield future.result()
            if time.monotonic() > ends:
                pool.shutdown(wait=False, cancel_futures=True)
                return


def _attempt(piece: AnchorPiece) -> _Computed:
    """Compute an anchor, or say why it is impossible: the others are worth having."""
    try:
        return piece, piece.compute(), ""
    except Exception as error:
        return piece, None, f"{type(error).__name__}: {error}"
