"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

from rich.table import Table
from rich.text import Text

from coopgym.benchmarks.documentation.reference_points import dilemma
from coopgym.benchmarks.drawing.formatting import amount, decimals, signed
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table, styled
from coopgym.benchmarks.execute.runner import DryRun, undecided_in_words
from coopgym.benchmarks.execute.training import EvaluatedTraining, evaluated
from coopgym.benchmarks.metrics import AFTER_CHANGE
from coopgym.benchmarks.progress import duration
from coopgym.benchmarks.score import (
    Estimate,
    Failure,
    FirstRow,
    FirstTable,
    Leaderboards,
    Ranking,
    Setting,
    all_rankings,
)
from coopgym.benchmarks.score.estimates import FEWEST, score_text
from coopgym.benchmarks.score.first_table import EXPLOITED_BY, WORST_PARTNER
from coopgym.benchmarks.score.worlds import AFTER_CHANGES
from coopgym.benchmarks.strangers import StrangersResult
from coopgym.benchmarks.study import in_words
from coopgym.benchmarks.study.agent_info import share_convention
from coopgym.games.game import AnyGame
from coopgym.games.page import page_of
from coopgym.games.page_document import sections
from coopgym.games.registry import make_game
from coopgym.play.episodes import Episodes
from coopgym.rewards import reward_layer

_Told: TypeAlias = Callable[[FirstRow], str]
"""What a column tells of a row; what follows a line break goes into the same line where there is room."""
WIDEST = 10_000
"""Characters of a line in which any table has room."""
MOST_ERRORS = 5
"""Different errors of an algorithm that the terminal shows."""


def game_list(ids: Iterable[str]) -> Table:
    """List games, one line each."""
    specs = [make_game(game_id).spec for game_id in ids]
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("game", no_wrap=True, width=max(len(spec.id) for spec in specs))
    table.add_column("class", no_wrap=True, width=5)
    table.add_column("agents", justify="right", no_wrap=True, width=6)
    table.add_column("steps", justify="right", no_wrap=True, width=5)
    table.add_column("what it is about", no_wrap=True, overflow="ellipsis", ratio=1)
    for spec in specs:
        table.add_row(spec.id, spec.mechanism_class, str(spec.n_agents), str(spec.horizon), spec.summary)
    return table


def print_game(console: TerminalConsole, game: AnyGame) -> None:
    """Print the page of a game, with the reference points of its certificate where they are kept."""
    spec = game.spec
    console.print(styled(spec.id, "bold"), f" {page_of(game).title}", highlight=False)
    console.print(" · ".join(spec.labels), highlight=False)
    console.print(f"{spec.n_agents} agents · {spec.horizon} steps · view {spec.default_view!r}", highlight=False)
    for section in sections(game, dilemma(spec.id)):
        console.print()
        console.print(styled(section.heading, "bold"), highlight=False)
        for paragraph in section.paragraphs:
            console.print(paragraph, highlight=False, markup=False)
        if section.table:
            head, *rows = section.table
            table = Table(*head, box=None, pad_edge=False)
            for row in rows:
                table.add_row(*(Text(cell.strip("`")) for cell in row))
            console.print(table)


def print_first_table(console: TerminalConsole, first: FirstTable) -> None:
    """Print the table that stands first, with who comes first and what its numbers mean."""
    if not first.rows:
        return
    columns: dict[str, _Told] = {question.name: partial(_answer, question.name) for question in first.questions}
    if first.tells_exploited:
        columns[EXPLOITED_BY] = _worst_partner
    for table in _fitting(console, first, columns):
        console.print(table)
    for sentence in first.verdicts:
        console.print(sentence, highlight=False)
    for question in first.questions:
        meaning = f"{question.name}: {question.meaning}, {question.table.scale.label}; {question.scope}"
        console.print(meaning, highlight=False)
    if first.tells_exploited:
        console.print(f"{EXPLOITED_BY}: {WORST_PARTNER}", highlight=False)


def _fitting(console: TerminalConsole, first: FirstTable, columns: Mapping[str, _Told]) -> Iterator[Table]:
    """Yield one table, or several with some columns each where the terminal is too narrow for all."""
    unbounded = console.options.update_width(WIDEST)
    in_a_line, in_lines = (_first_table(first, columns, joint) for joint in (" ", "\n"))
    if console.measure(in_a_line, options=unbounded).maximum <= console.width:
        yield in_a_line
    elif len(columns) < 2 or console.measure(in_lines, options=unbounded).minimum <= console.width:
        yield in_lines
    else:
        names = list(columns)
        for half in (names[: (len(names) + 1) // 2], names[(len(names) + 1) // 2 :]):
            yield from _fitting(console, first, {name: columns[name] for name in half})


def _first_table(first: FirstTable, columns: Mapping[str, _Told], joint: str) -> Table:
    table = ruled_table(collapse_padding=True)
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for rows in first.parts.values():
        style = "dim" if rows and rows[0].is_reference else None
        for row in rows:
            cells = (told(row).replace("\n", joint) for told in columns.values())
            table.add_row(row.title, *cells, style=style, end_section=row is rows[-1])
    return table


def _answer(name: str, row: FirstRow) -> str:
    answer = row.answers[name]
    return "not entered" if answer is None else _with_spread(answer)


def _worst_partner(row: FirstRow) -> str:
    worst = row.exploited_by
    return "not entered" if worst is None else f"{_with_spread(worst.normalised)}\n{worst.partner}"


def ranking_table(compared: Ranking) -> Table:
    """Show a ranking: the number it goes by, with its interval or its seeds, the group, and what else is told."""
    numbers = {row.algorithm.name: compared.numbers(row.algorithm.name) for row in compared.ranks.rows}
    measures = list(dict.fromkeys(measure for found in numbers.values() for measure in found))
    table = ruled_table(collapse_padding=True)
    table.add_column("algorithm", no_wrap=True)
    table.add_column(measures[0], justify="right", min_width=len(measures[0]))  # seeds may take several lines
    table.add_column("group", no_wrap=True)
    for measure in measures[1:]:
        table.add_column(measure, justify="right", no_wrap=True)
    for row in compared.ranks.rows:
        found = numbers[row.algorithm.name]
        style = "dim" if row.algorithm.kind == "constant" else None
        others = (_number(measure, found.get(measure)) for measure in measures[1:])
        table.add_row(row.algorithm.name, _with_spread(row.score), row.significance_groups, *others, style=style)
    return table


def _number(measure: str, estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return f"{estimate.value:.0%}" if measure == "played" else score_text(estimate.value)


def _with_spread(score: Estimate) -> str:
    if score.low is not None and score.high is not None:
        return f"{score_text(score.value)} ± {score_text(score.high - score.value)}"
    seeds = "; ".join(map(score_text, score.seeds))
    return score_text(score.value) + (f" ({seeds})" if seeds else "")


def print_outlook(console: TerminalConsole, plan: DryRun, folder: Path, processes: int) -> None:
    """Say what a run of a study would do and how long it would take."""
    for job in plan.jobs:
        console.print(f"{len(job.specs):5} runs  {job.title}", highlight=False)
    parallel = min(max(1, processes), max(1, len(plan.jobs)))
    console.print(
        f"{len(plan.runs)} runs planned, {len(plan.runs) - len(plan.pending)} finished in {folder}, "
        f"{len(plan.pending)} to do: about {duration(plan.expected_seconds / parallel)}",
        highlight=False,
    )
    if plan.replaced:
        console.print(f"{len(plan.replaced)} runs give way: {in_words(plan.replaced.values())}", highlight=False)
    if plan.kept:
        console.print(
            f"{len(plan.kept)} runs of an older version stay: {in_words(plan.kept.values())}", highlight=False
        )
    if plan.undecided:
        console.print(undecided_in_words(plan), highlight=False)


def print_rankings(console: TerminalConsole, leaderboards: Leaderboards) -> None:
    """Print all rankings of a corpus with their verdicts and who is missing, or why there is none."""
    if leaderboards.inconsistency:
        console.print(f"No ranking: {leaderboards.inconsistency}")
        return
    found = all_rankings(leaderboards)
    for compared in found:
        console.print(f"Ranking: {compared.heading}", style="bold", highlight=False)
        console.print(ranking_table(compared))
        for reason, names in compared.absences.items():
            console.print(f"not in this table: {', '.join(names)} ({reason})", highlight=False)
        console.print(f"{compared.verdict}\n", highlight=False)
    for measure, scale in {compared.measure: compared.table.scale.label for compared in found}.items():
        console.print(f"{measure}: {scale}", highlight=False)
    if any(board.scores.of_changes().tasks for board in leaderboards.worlds):
        console.print(f"{AFTER_CHANGES}: score of the {AFTER_CHANGE} steps after a world has changed", highlight=False)
    for remark in filter(None, (board.remark for board in leaderboards.worlds)):
        console.print(remark, highlight=False)
    if found:
        console.print(
            f"±: 95 % interval over seeds; in brackets the seeds where there are fewer than {FEWEST}; group: who "
            "shares a letter cannot be told apart; played: mean share of endowment",
            highlight=False,
        )
        shares = share_convention(
            sorted({task.setting.environment for compared in found for task in compared.table.tasks})
        )
        if shares:
            console.print(shares, highlight=False)
    else:
        console.print("No ranking: scores need Random and at least one constant in the same game and mode.")


def print_failures(console: TerminalConsole, failures: Iterable[Failure]) -> None:
    """Say which algorithms failed and in which ways, the most frequent first."""
    for failure in failures:
        console.print(f"{failure.algorithm}: {failure.failed} of {failure.runs} runs failed", highlight=False)
        for error, count in failure.errors[:MOST_ERRORS]:
            console.print(f"  {count} × {error}", highlight=False, soft_wrap=True)
        if more := failure.errors[MOST_ERRORS:]:
            console.print(f"  and {len(more)} more errors: see the report", highlight=False)


def print_deviations(console: TerminalConsole, rows: Iterable[Mapping[str, Any]]) -> None:
    """Show what the seats of runs could gain by deviating, where that is known."""
    known = [row for row in rows if row["exploitability"] is not None]
    if not known:
        return
    table = ruled_table(
        caption="return: all seats together, in the run's reward mode; NashConv: what the seats could gain at least, "
        "each deviating alone, added up; per cent of the own endowment",
        collapse_padding=True,
    )
    for name in ("game", "algorithm", "reward"):
        table.add_column(name, overflow="fold")
    for name in ("seed", "return", "NashConv"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("gain of each seat, and how it deviates", ratio=1)
    order = ("environment", "env_parameters", "algorithm", "reward_mode", "seed")
    for row in sorted(known, key=lambda row: tuple(row[name] for name in order)):
        error = row["exploitability_error"]
        table.add_row(
            Setting(row["environment"], row["env_parameters"], row["reward_mode"]).game,
            row["algorithm"],
            row["reward_mode"],
            str(row["seed"]),
            f"{row['return_mode']:.2f}",
            f"{row['exploitability']:.2f}" + ("" if error is None else f" ± {error:.2f}"),
            "\n".join(_seats_in_words(row["seat_exploitability"], row["seat_deviations"])),
        )
    console.print(table)


def print_exploited(console: TerminalConsole, agent: str, result: StrangersResult) -> None:
    """Show what an agent earns with every partner and what a best response would have, the worst first."""
    table = ruled_table(
        title=f"{agent} in {result.game}, {result.population} partners",
        caption="returns per episode and seat; best: of the best response found; left: what that earns more; share: "
        "what is earned, 0 as Random, 1 as the best response; partner: what each of these earns, bold where it is more",
        collapse_padding=True,
    )
    table.add_column("partner", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    for name in ("earned", "best", "left", "share", "partner"):
        table.add_column(name, justify="right", no_wrap=True)
    digits = max(1, decimals([met.ceiling for met in result.scenarios]))
    for place, members in result.places.items():
        if len(result.places) > 1:
            table.add_row(styled(place, "bold"))
        worst_first = sorted(members, key=lambda met: met.normalised)
        for met in worst_first:
            table.add_row(
                met.title,
                met.scenario.kind,
                *(signed(value, digits) for value in (met.focal_return, met.ceiling, met.left)),
                signed(met.normalised),
                styled(signed(met.partner_return, digits), "bold" if met.partner_return > met.focal_return else ""),
                end_section=met is worst_first[-1],
            )
    console.print(table)
    console.print(exploited_in_words(agent, result), highlight=False)


def exploited_in_words(agent: str, result: StrangersResult) -> str:
    """Say how much an agent leaves on the table, and with whom most of what could be had."""
    worst, left = result.worst, fmean(met.left for met in result.scenarios)
    company = f" ({worst.scenario.company})" if len(result.places) > 1 else ""
    return (
        f"{agent} leaves {amount(left)} on the table on average, and the largest part with {worst.title}{company}: it "
        f"earns {amount(worst.focal_return)} of {amount(worst.ceiling)}, the partner {amount(worst.partner_return)}."
    )


def _seats_in_words(gains: Sequence[float], deviations: Sequence[str]) -> Iterable[str]:
    """Yield a line for each stretch of seats that gain the same in the same way."""
    lines = [
        f"{gain:.2f}: {deviation}" if gain else deviation for gain, deviation in zip(gains, deviations, strict=True)
    ]
    seat = 0
    for line, stretch in groupby(lines):
        size = len(list(stretch))
        seats = f"{seat}" if size == 1 else f"{seat}-{seat + size - 1}"
        yield f"{seats} +{line}" if line[0].isdigit() else f"{seats} {line}"
        seat += size


def print_trained(console: TerminalConsole, trained: EvaluatedTraining) -> None:
    """Print what each replica earns, beside the best that constant profiles earn in its reward mode."""
    request, game = trained.request, trained.request.played_game()
    table = ruled_table(
        title=f"{type(request.learner).__name__} on {game.id}",
        caption="return: all seats together, in the reward mode; welfare: their payoffs; regret: what is missing of "
        "the best constant profile's return",
    )
    for name in ("reward", "seed", "return", "welfare", "cooperation", "trust", "regret"):
        table.add_column(name, justify="left" if name == "reward" else "right", no_wrap=True)
    for reward, best in trained.constants.items():
        most = _mean_return(best, reward)
        for replica in trained.result.replicas:
            if replica[0] != reward:
                continue
            if trained.result.status(replica) == "diverged":
                table.add_row(reward, str(replica[1]), f"diverged at step {trained.result.diverged_at(replica):,}")
                continue
            episodes = evaluated(game, trained.result.agents(replica), reward)
            regret = (most - _mean_return(episodes, reward)) / abs(most) if most else 0.0
            table.add_row(reward, str(replica[1]), *_of_episodes(episodes, reward), f"{100 * regret:.1f} %")
        table.add_row(reward, "", *_of_episodes(best, reward), "best constant", style="dim", end_section=True)
    console.print(table)


def _mean_return(episodes: Episodes, reward: str) -> float:
    return float(episodes.returns[reward_layer(reward).mode.name].sum(1).mean())


def _of_episodes(episodes: Episodes, reward: str) -> tuple[str, ...]:
    return (
        f"{_mean_return(episodes, reward):,.1f}",
        f"{episodes.payoffs.sum(1).mean():,.1f}",
        f"{100 * episodes.cooperation.mean():.1f} %",
        f"{episodes.final['mean_trust'].mean():.2f}",
    )
