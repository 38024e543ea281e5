"""Certificates of games: of one on the screen and into files, or of all into a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coopgym.benchmarks.certificates.batch import BatchOutcome, Work, work_through
from coopgym.benchmarks.certificates.files import (
    SUMMARY_BEGINNING,
    SUMMARY_FILE,
    Solved,
    read_solved,
    summary_csv,
    write_solved,
)
from coopgym.benchmarks.certificates.page import INDEX_BEGINNING, INDEX_FILE, render_index
from coopgym.benchmarks.certificates.record_store import require_folder, require_places
from coopgym.benchmarks.certificates.solution import solve
from coopgym.benchmarks.certificates.tables import print_overview, print_solution
from coopgym.benchmarks.drawing.terminal import TerminalConsole, styled
from coopgym.benchmarks.progress import Progress
from coopgym.benchmarks.study.settings import parse_settings
from coopgym.corpus.writer import write_atomically
from coopgym.games.game import AnyGame
from coopgym.games.registry import games, make_game

EDITIONS = ("formal", "released")
ALL_GAMES_FOLDER = Path("certificates")
"""Where ``--all`` writes unless told otherwise."""


class RequestError(ValueError):
    """A request that contradicts itself; the message says what to change."""


@dataclass(frozen=True)
class SolveRequest:
    """What the user typed."""

    game: str | None
    all_games: bool = False
    edition: str | None = None
    reward: str | None = None
    settings: tuple[str, ...] = ()
    out: Path | None = None
    fresh: bool = False
    factors: tuple[str, ...] = ()
    """``cost=1.4``, ``synergy=0.7``: the draw of a common world that is solved."""

    def __post_init__(self) -> None:
        """Refuse contradictions.

        Raises:
            RequestError: there is one.
        """
        if (self.game is None) == (not self.all_games):
            given = "neither" if self.game is None else "both"
            raise RequestError(f"expected a game's id or --all, got {given}; coopgym games lists the ids")
        if self.all_games and (self.reward is not None or self.settings or self.factors):
            raise RequestError("--reward, --set and --world are for one game: give its id instead of --all")
        if self.game is not None and (self.edition is not None or self.fresh):
            raise RequestError("--edition and --fresh belong to --all: an id names its edition and is always solved")
        if self.edition not in (None, *EDITIONS):
            raise RequestError(f"--edition {self.edition}: expected {' or '.join(EDITIONS)}")

    @property
    def folder(self) -> Path:
        """Where all games are written."""
        return self.out or ALL_GAMES_FOLDER


def _in_world(game: str, parameters: Mapping[str, Any], factors: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a game with one draw of a common world.

    Raises:
        RequestError: something else than positive factors on cost and synergy.
        ValueError: a game without worlds.
    """
    known = ("cost", "synergy")
    if not all(name in known and isinstance(factor, int | float) for name, factor in factors.items()):
        raise RequestError(f"--world: expected {' and '.join(f'{name}=FACTOR' for name in known)}, got {dict(factors)}")
    return make_game(game, **parameters).multiplied(**factors).overridden()


def solve_one(request: SolveRequest, console: TerminalConsole, status: TerminalConsole) -> Iterable[Path]:
    """Solve the game of a request and print it; return the files written.

    Args:
        request: names a game.
        console: where the tables go.
        status: where a sign of life goes.

    Raises:
        ValueError: an unknown id or reward, a value out of range, or a text that is no setting.
        TypeError: an unknown parameter or one of the wrong kind.
        OSError: a file cannot be written.
    """
    assert request.game is not None
    parameters = parse_settings(request.settings)
    if request.factors:
        parameters = _in_world(request.game, parameters, parse_settings(request.factors))
    if request.out is not None:
        require_folder(request.out)
    with status.status(styled(f"solving {request.game}")):
        solution = solve(request.game, request.reward, **parameters)
    record = solution.record()
    print_solution(console, solution.game, record)
    if request.out is None:
        status.print("its figure and its record go into a folder with -o FOLDER", highlight=False)
        return ()
    figure = solution.figure()
    written = write_solved(request.out, Solved(record, figure.svg()))
    image = written.with_suffix(".png")
    write_atomically(image, figure.png())
    return (written, written.with_suffix(".svg"), image)


def solved(id: str) -> Solved:
    """Solve a game with its own parameters and draw it."""
    solution = solve(id)
    return Solved(solution.record(), solution.figure().svg())


def _seconds(game: AnyGame) -> float:
    return 1.5 + game.n_agents * game.spec.horizon * (0.015 if game.traits().differentiable else 0.005)


CERTIFICATES = Work(solved, read_solved, write_solved, _seconds)


def solve_many(
    request: SolveRequest, console: TerminalConsole, workers: int, progress: Progress
) -> BatchOutcome[Solved]:
    """Solve all games of a request into its folder, print the table of games, write the page and the summary.

    Raises:
        RequestError: the folder holds a page or a summary of something else.
        FolderInUseError: another process writes to the folder.
        WorkerDiedError: a worker process was killed.
        OSError: a file cannot be written.
    """
    folder = request.folder
    require_places(folder, games(request.edition), ".json")
    for name, beginning in ((INDEX_FILE, INDEX_BEGINNING), (SUMMARY_FILE, SUMMARY_BEGINNING)):
        if (folder / name).exists() and not (folder / name).read_bytes().startswith(beginning.encode()):
            raise RequestError(f"{folder / name} is another program's file and would be overwritten; choose another -o")
    outcome = work_through(CERTIFICATES, games(request.edition), folder, workers, request.fresh, progress)
    print_overview(console, [each.record for each in outcome.results])
    held = [found for id in games() if (found := read_solved(folder, make_game(id))) is not None]
    write_atomically(folder / INDEX_FILE, render_index(held, outcome.faults).encode())
    write_atomically(folder / SUMMARY_FILE, summary_csv([each.record for each in held]).encode())
    return outcome
