"""Solved games on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from coopgym.benchmarks.certificates.record_store import Record
from coopgym.benchmarks.certificates.record_text import (
    COLUMNS,
    FOLLOWED,
    SCREEN,
    STAGES,
    number,
    numbers,
    overview,
    percent,
    search_troubles,
    settled_and_paid,
    settling,
    standing,
)
from coopgym.benchmarks.drawing.panel import payoff_unit, seat_names
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table, styled
from coopgym.games.game import AnyGame


def print_solution(console: TerminalConsole, game: AnyGame, record: Record) -> None:
    """Print what is known of one game.

    Args:
        console: where to.
        game: the game that was solved.
        record: its certificate as a record.
    """
    spec, groups = game.spec, tuple(map(tuple, record["seats"]))
    console.print(styled(spec.id, "bold"), f" {spec.summary}", highlight=False)
    if len(groups) > 1:
        console.print(f"shares in the order {' / '.join(seat_names(spec, groups))}", highlight=False)
    console.print(_stage_table(record, payoff_unit(spec)))
    for line in _stage_lines(record):
        console.print(line, highlight=False)
    console.print(_commitment_table(record, payoff_unit(spec)))
    for line in _commitment_lines(record):
        console.print(line, highlight=False)
    if record["mechanism"] is not None:
        console.print(_mechanism_table(record))
    for remark in (*_special_lines(record), *_search_lines(record), *_verdict(record)):
        console.print(remark, highlight=False)


def _table(title: str, *columns: str) -> Table:
    table = ruled_table(title=title, title_style="bold")
    for column in columns:
        table.add_column(column, justify="left" if column in ("", "standing") else "right", overflow="fold")
    return table


def _stage_table(record: Record, unit: str) -> Table:
    table = _table(f"One step (payoffs per seat in {unit})", "", "plays, %", "payoff", "regret", "residual", "standing")
    for suffix, state in STAGES.items():
        searches = [
            ("private equilibrium", record[f"nash{suffix}_search"]),
            ("coopetitive equilibrium", record[f"coopetitive{suffix or '_T0'}_search"]),
        ]
        if "under_reward" in record:
            under = record["under_reward"]
            searches.append((f"equilibrium, {under['reward']}", under[f"stage{suffix}"]))
        table.add_row(styled(state, "bold"))
        for name, search in searches:
            _add_search(table, name, search)
        inside = "interior" if record[f"optimum{suffix}_interior"] else "at a corner"
        table.add_row(
            "optimum", percent(record[f"optimum{suffix}"]), number(record[f"W_optimum{suffix}"], 3), "", "", inside
        )
    return table


def _add_search(table: Table, name: str, search: Record) -> None:
    if not search["found"]:
        table.add_row(name, "–", "", "", "", "none found")
    for found in search["found"]:
        table.add_row(
            name,
            percent(found["at"]),
            number(found["welfare"], 3),
            f"{found['regret']:.1g}",
            f"{found['residual']:.1g}",
            standing(found, search["unique"]),
        )


def _stage_lines(record: Record) -> Iterator[str]:
    yield (
        f"price of anarchy {number(record['poa'], 3)} (full trust {number(record['poa_T1'], 3)}) · "
        f"gap closed {number(record['gap_closed'])} (full trust {number(record['gap_closed_T1'])}) · "
        f"greed {numbers(record['greed'])} · fear {numbers(record['fear'])}"
    )
    path = " · ".join(f"{degree}: {percent(shares)} %" for degree, shares in record["mutuality_path"].items())
    yield f"equilibria from private (0) to cooperative (1) reward: 0: {percent(record['nash'])} % · {path}"
    evolving = record["evolving"]
    if evolving is None:
        yield "coopetitive play meets a state without equilibrium as trust evolves"
    else:
        first, last = percent(evolving["first"]), percent(evolving["last"])
        before, after = map(number, evolving["trust"])
        yield (
            f"coopetitive play as trust evolves: from {first} to {last} % in {evolving['steps']} steps, "
            f"trust {before} → {after}, payoff {number(evolving['welfare'], 3)}"
        )


def _commitment_table(record: Record, unit: str) -> Table:
    constant = record["constant"]
    title = f"One share for a whole episode (payoffs per seat and step in {unit})"
    table = _table(title, "", "plays, %", "payoff", "regret", "standing")
    for mode, basins in _basins(record).items():
        for row in settling(mode, basins):
            table.add_row(*row)
    table.add_row("optimum", percent(constant["optimum"]), number(constant["W_optimum"], 3), "", "")
    return table


def _basins(record: Record) -> dict[str, Record]:
    """What seats settle on, by reward."""
    under = record.get("under_reward")
    return record["constant"]["basins"] | ({} if under is None else {under["reward"]: under["basins"]})


def _commitment_lines(record: Record) -> Iterator[str]:
    constant = record["constant"]
    yield "; ".join(dict.fromkeys(FOLLOWED[basins["followed"]] for basins in _basins(record).values()))
    worst, best = number(constant["poa_worst"], 3), number(constant["poa_best"], 3)
    yield f"price of anarchy {worst}" + ("" if worst == best else f" in the worst equilibrium, {best} in the best")
    common = (
        f"{mode} {percent([found['fraction']])} % ({number(found['reward'], 3)})"
        for mode, found in constant["best_common"].items()
    )
    yield f"best common share, and its reward: {' · '.join(common)}"


def _mechanism_table(record: Record) -> Table:
    mechanism, constant = record["mechanism"], record["constant"]
    table = _table("What the mechanism does", "", "on", "off")
    rows = {
        "one step, private, %": "stage_private",
        "one step, integrated, %": "stage_integrated",
        "one step, integrated at full trust, %": "stage_integrated_T1",
    }
    for label, key in rows.items():
        table.add_row(label, *(percent(mechanism[side][key]) for side in ("on", "off")))
    for mode in ("private", "integrated"):
        off = (f"{percent(found['at'], 1)} ({found['payoff']:.2f})" for found in mechanism["off"][f"constant_{mode}"])
        on = settled_and_paid(constant["basins"][mode])
        table.add_row(f"whole episode, {mode}, % (payoff)", on, " or ".join(off) or "–")
    return table


def _special_lines(record: Record) -> Iterator[str]:
    if "agreement" in record:
        found = record["agreement"]
        yield (
            f"an agreement at the optimum, enforced and not: greed {numbers(found['greed'])}, best deviation to "
            f"{percent(found['deviation'])} %, trust after a breach {numbers(found['trust_after_breach'])}"
        )
    if "information" in record:
        found = record["information"]
        yield (
            f"hidden weight low/middle/high: best {percent(found['optimum'])} %, private {percent(found['nash'])} %; "
            f"knowing it gains {found['gain_from_knowing']:.2%}, believing it low when it is high loses "
            f"{found['loss_of_low_belief_at_high']:.2%}"
        )


def _search_lines(record: Record) -> Iterator[str]:
    troubles = search_troubles(record)
    if not troubles:
        yield "every search converged from all of its starts"
    for name, trouble in troubles.items():
        yield f"search {name}: {trouble}"


def _verdict(record: Record) -> Iterator[str | Text]:
    if record["qualifies"]:
        yield styled("a dilemma by the standard of the formal edition", "bold")
        return
    yield styled("not a dilemma by the standard of the formal edition:", "bold")
    for remark in record["remarks"]:
        yield f"  - {remark}"


def print_overview(console: TerminalConsole, records: Iterable[Record]) -> None:
    """Print the table of games."""
    table = ruled_table(
        collapse_padding=True, caption="; ".join(f"{column}: {COLUMNS[column]}" for column in SCREEN if COLUMNS[column])
    )
    for column in SCREEN:
        table.add_column(column, justify="left" if column == "game" else "right", no_wrap=True)
    for record in records:
        cells = overview(record)
        table.add_row(*(cells[column] for column in SCREEN))
    console.print(table)
