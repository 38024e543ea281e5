"""What whole episodes are worth: best plans beside proved bounds and simpler play, as records and tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from coopgym.benchmarks.certificates.batch import BatchOutcome, Work, work_through
from coopgym.benchmarks.certificates.record_store import (
    Record,
    keep,
    kept,
    place_of,
    require_folder,
    require_places,
)
from coopgym.benchmarks.drawing.terminal import TerminalConsole, styled
from coopgym.benchmarks.progress import Progress
from coopgym.benchmarks.study.settings import parse_settings
from coopgym.corpus.writer import write_atomically
from coopgym.games.game import AnyGame
from coopgym.games.registry import games, make_game
from coopgym.oracles.dynamic.optima import deterrence, dynamic_optima, dynamic_record
from coopgym.oracles.dynamic.planning import double_precision
from coopgym.rewards import objective

MODES = ("private", "integrated", "cooperative")
BASELINES = ("best_constant", "best_heuristic", "best_oracle")
PLANS_FOLDER = Path("plans")
"""Where ``--all`` writes unless told otherwise."""
PLANS_FILE = "plans.md"
PLANS_BEGINNING = "# What whole episodes are worth\n"
"""How our table begins, and nobody else's."""
HEADINGS = (
    "game",
    "reward",
    "best plan",
    "upper bound",
    "over best constant",
    "over best heuristic",
    "over best oracle",
    "deterred",
    "search",
)


class PlanRequestError(ValueError):
    """A request that contradicts itself; the message says what to change."""


@dataclass(frozen=True)
class PlanRequest:
    """What the user typed."""

    game: str | None
    all_games: bool = False
    rewards: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    out: Path | None = None
    fresh: bool = False

    def __post_init__(self) -> None:
        """Refuse contradictions.

        Raises:
            PlanRequestError: there is one.
        """
        if (self.game is None) == (not self.all_games):
            given = "neither" if self.game is None else "both"
            raise PlanRequestError(f"expected a game's id or --all, got {given}; coopgym games lists the ids")
        if self.all_games and (self.rewards or self.settings):
            raise PlanRequestError("--reward and --set are for one game: give its id instead of --all")
        if self.game is not None and self.fresh:
            raise PlanRequestError("--fresh belongs to --all: a game that is named is always planned")

    @property
    def folder(self) -> Path:
        """Where all plans are written."""
        return self.out or PLANS_FOLDER


def plan_one(request: PlanRequest, console: TerminalConsole, status: TerminalConsole) -> Iterable[Path]:
    """Plan the game of a request and print the table; return the files written.

    Raises:
        ValueError, TypeError: an unknown id, reward or parameter, or a value out of range.
        ImportError: torch is not installed.
        OSError: a file cannot be written.
    """
    assert request.game is not None
    game = make_game(request.game, **parse_settings(request.settings))
    rewards = [objective(reward).name for reward in request.rewards or MODES]
    double_precision()  # says at once that torch is missing
    if request.out is not None:
        require_folder(request.out)
    with status.status(styled(f"planning {request.game}")):
        record = plan_record(game, rewards)
    for line in plan_lines(record):
        console.print(line, highlight=False, soft_wrap=True)
    return () if request.out is None else (write_plans(request.out, record),)


def plan_many(request: PlanRequest, console: TerminalConsole, workers: int, progress: Progress) -> BatchOutcome[Record]:
    """Plan all games into a folder, print the table and write it as Markdown.

    Raises:
        PlanRequestError: the folder holds a table of something else.
        FolderInUseError, WorkerDiedError: as `work_through`.
        OSError: a file cannot be written.
    """
    double_precision()  # says at once that torch is missing
    require_places(request.folder, games(), ".plans.json")
    table = request.folder / PLANS_FILE
    if table.exists() and not table.read_text(encoding="utf-8", errors="replace").startswith(PLANS_BEGINNING):
        raise PlanRequestError(f"{table} is another program's file and would be overwritten; choose another -o")
    outcome = work_through(PLANS, games(), request.folder, workers, request.fresh, progress)
    console.print(plan_table(outcome.results))
    write_atomically(table, plans_markdown(outcome.results).encode())
    return outcome


def plan_game(id: str) -> Record:
    """Plan a game with its own parameters under the three named reward modes."""
    return plan_record(make_game(id))


def write_plans(folder: Path, record: Record) -> Path:
    """Write ``ID.plans.json`` and return its place.

    Raises:
        ForeignFileError: a file that is no record of ours stands there.
        OSError: it cannot be written.
    """
    place = place_of(folder, record["game"], record["parameters"], ".plans.json")
    keep(place, record)
    return place


def read_plans(folder: Path, game: AnyGame) -> Record | None:
    """Return the plans a folder holds of a game; None unless this version made them for these very parameters."""
    record = kept(place_of(folder, game.spec.id, game.parameter_dict(), ".plans.json"), game)
    return record if record is not None and set(record["plans"]) == set(MODES) else None


def _seconds(game: AnyGame) -> float:
    return 5.0 + game.n_agents * game.spec.horizon * (0.015 if game.traits().differentiable else 0.05)


PLANS = Work(plan_game, read_plans, write_plans, _seconds)


def plan_record(game: AnyGame, rewards: Sequence[str] = MODES) -> Record:
    """Plan an episode of a game under each reward and return everything as plain data."""
    optima = dynamic_optima(game, rewards)
    record: Record = {
        "game": game.spec.id,
        "parameters": json.loads(json.dumps(game.parameter_dict())),
        "horizon": game.spec.horizon,
        "plans": {mode: dynamic_record(optimum) for mode, optimum in optima.items()},
    }
    for mode, optimum in optima.items():
        threat = deterrence(game, optimum.plan)
        record["plans"][mode]["deterred_steps"] = None if threat is None else threat.prefix
    return record


def plan_rows(record: Record) -> Iterable[tuple[str, ...]]:
    """Return the cells of a record's table, one row per reward, under `HEADINGS`."""
    for mode, plan in record["plans"].items():
        steps = plan["deterred_steps"]
        yield (
            record["game"],
            mode,
            f"{plan['value']:.6g}",
            "none proved" if plan["upper_bound"] is None else f"+{100 * plan['relative_gap']:.2g} %",
            *(_gain(plan["value"], plan[kind]) for kind in BASELINES),
            "no threat" if steps is None else f"{steps} of {record['horizon']}",
            search_in_words(plan),
        )


def plan_lines(record: Record) -> Iterable[str]:
    """Say in a few lines per reward what an episode of one game is worth."""
    yield f"{record['game']}, {record['horizon']} steps, sums over seats"
    for mode, plan in record["plans"].items():
        agreeing, restarts = plan["restarts_agreeing"]
        steps = plan["deterred_steps"]
        yield f"\n{mode}: best plan {plan['value']:.6g}"
        yield f"  upper bound    {bound_in_words(plan)}"
        yield f"  search         {search_in_words(plan)}, {agreeing} of {restarts} restarts agree"
        for kind in BASELINES:
            yield f"  over {kind.removeprefix('best_'):<10}{_gain(plan['value'], plan[kind])}"
        threat = "no private commitment equilibrium to threaten with" if steps is None else _deterred(record, steps)
        yield f"  reversion      {threat}"


def bound_in_words(plan: Record) -> str:
    """The proved upper bound as a distance from the plan, or why there is none."""
    if plan["upper_bound"] is None:
        return f"none proved: {plan['no_bound_because']}"
    return f"{plan['upper_bound']:.6g}, +{100 * plan['relative_gap']:.2g} %"


def search_in_words(plan: Record) -> str:
    """How the search for a plan ended."""
    return f"{plan['status']}, residual {plan['residual']:.0e}"


def _deterred(record: Record, steps: int) -> str:
    return f"deters leaving the plan in the first {steps} of {record['horizon']} steps"


def plan_table(records: Iterable[Record]) -> Table:
    """Return the main columns of many records as a table for the screen."""
    table = Table("game", "reward", "best plan", "bound", "over constant", "deterred", box=None, header_style="bold")
    for record in records:
        for mode, plan in record["plans"].items():
            steps = plan["deterred_steps"]
            table.add_row(
                record["game"],
                mode,
                f"{plan['value']:.6g}",
                "none" if plan["upper_bound"] is None else f"+{100 * plan['relative_gap']:.2g} %",
                f"+{100 * _relative_gain(plan['value'], plan['best_constant']['value']):.4f} %",
                "no threat" if steps is None else f"{steps} of {record['horizon']}",
            )
    return table


def plans_markdown(records: Iterable[Record]) -> str:
    """Return records as a Markdown page."""
    lines = [_INTRODUCTION, "| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    lines += ["| " + " | ".join(row) + " |" for record in records for row in plan_rows(record)]
    return "\n".join(lines) + "\n"


_INTRODUCTION = f"""{PLANS_BEGINNING}
The best plan found for all seats together, from the opening to the horizon, under each reward mode; where a game draws,
its draws stand at their medians. Written by `coopgym plan --all`.

- **best plan**: sum of the seats' undiscounted returns.
- **upper bound**: how far above the plan the proved bound on every plan lies; the released edition has none.
- **over ...**: gain over the best constant profile (101 common ones and one refined seat by seat), the best scripted
  agent in self-play, and the best oracle in self-play. Zero where holding a constant is optimal.
- **deterred**: the first steps in which no seat gains privately by leaving the plan, if all then revert to the worst
  private equilibrium of commitment play; the last steps have no future to lose.
- **search**: whether the projected gradient vanishes at the plan (converged), or the plan rests on a kink or threshold
  of the game (stopped), with its residual.
"""


def _gain(value: float, baseline: Record | None) -> str:
    if baseline is None:
        return "none"
    return f"+{100 * _relative_gain(value, baseline['value']):.4f} % ({baseline['name']})"


def _relative_gain(value: float, other: float) -> float:
    return (value - other) / abs(other)
