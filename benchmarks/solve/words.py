"""Numbers of a record in the words of tables."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.solve.solution import Record
from oracles.games.refinement import FINE

STAGES = {"": "at reset", "_T1": "at full trust"}
"""Suffixes of a record's keys, and the states they stand for."""
COLUMNS = {
    "game": "",
    "dilemma": "whether it is a dilemma by the standard of the formal edition",
    "private": "private equilibrium of the stage game at reset, % of endowment",
    "norm": "what partners expect, %",
    "coopetitive": "equilibrium under integrated reward at reset, %",
    "coopetitive, full trust": "the same at full trust, %",
    "optimum": "largest sum of payoffs at reset, %",
    "PoA": "price of anarchy: welfare at the optimum over welfare at the private equilibrium",
    "closed": "part of that gap which the coopetitive equilibrium closes at reset",
    "closed, full trust": "the same at full trust",
    "greed": "best gain from leaving the optimum alone, payoff units",
    "fear": "loss of a lone cooperator at the private equilibrium, payoff units",
    "episode, private": "equilibria when every seat fixes one share for a whole episode, private reward, %",
    "episode, integrated": "the same under integrated reward, %",
}
"""Columns of the table of games, with their meaning."""
SCREEN = ("game", "private", "coopetitive", "optimum", "PoA", "dilemma")
"""Those that fit on a terminal."""


def overview(record: Record) -> dict[str, str]:
    """Return the cells of a game in the table of games, by column."""
    equilibria = record["constant"]["equilibria"]
    cells = (
        record["game"],
        "yes" if record["qualifies"] else "no",
        percent(record["nash"]),
        percent(record["baseline"]),
        percent(record["coopetitive_T0"]),
        percent(record["coopetitive_T1"]),
        percent(record["optimum"]),
        number(record["poa"], 3),
        number(record["gap_closed"]),
        number(record["gap_closed_T1"]),
        numbers(record["greed"]),
        numbers(record["fear"]),
        conventions(equilibria["private"]),
        conventions(equilibria["integrated"]),
    )
    return dict(zip(COLUMNS, cells, strict=True))


def percent(shares: Sequence[float] | None) -> str:
    """Shares as per cent, one per group, or a dash; equal ones are said once."""
    return _joined(None if shares is None else [_percentage(share) for share in shares])


def _percentage(share: float) -> str:
    """Whole per cent, or finer where these would hide that a share is not quite none or all."""
    coarse = f"{100 * share:.0f}"
    hides = (coarse == "0" and share > 0.0) or (coarse == "100" and share < 1.0)
    return f"{100 * share:.2f}" if hides else coarse


def numbers(values: Sequence[float] | None, digits: int = 2) -> str:
    """Numbers, one per group, or a dash; equal ones are said once."""
    return _joined(None if values is None else [number(value, digits) for value in values])


def number(value: float | None, digits: int = 2) -> str:
    """A number or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


def conventions(equilibria: Record) -> str:
    """All equilibria of a search as per cent."""
    return " or ".join(dict.fromkeys(percent(found["at"]) for found in equilibria["found"])) or "–"


def standing(found: Record, unique: bool) -> str:
    """Say what kind of equilibrium it is."""
    words = ["unique" if unique else f"from {100 * found['basin']:.0f} % of the starts"]
    words.append("interior" if found["interior"] else "at a corner")
    if found["stability"] is not None:
        words.append("stable" if found["stability"] < 0.0 else "unstable")
    if not found["symmetric_within_groups"]:
        words.append("unequal among equals")
    if found["spacing"] > FINE:
        words.append(f"among shares {100 * found['spacing']:g} % apart")
    return ", ".join(words)


def search_troubles(record: Record) -> dict[str, str]:
    """Say of each search that did not converge from all starts how many failed and how far off they are."""
    searches = {f"one step, private, {state}": record[f"nash{suffix}_search"] for suffix, state in STAGES.items()}
    for suffix, state in STAGES.items():
        searches[f"one step, integrated, {state}"] = record[f"coopetitive{suffix or '_T0'}_search"]
    for mode, found in record["constant"]["equilibria"].items():
        searches[f"whole episode, {mode}"] = found
    if "under_reward" in record:
        under = record["under_reward"]
        for suffix, state in STAGES.items():
            searches[f"one step, {under['reward']}, {state}"] = under[f"stage{suffix}"]
        searches[f"whole episode, {under['reward']}"] = under["constant"]
    return {name: _trouble(search["not_converged"]) for name, search in searches.items() if search["not_converged"]}


def _trouble(lost: Sequence[Record]) -> str:
    residual, regret = (max(failure[name] for failure in lost) for name in ("residual", "regret"))
    starts = "start" if len(lost) == 1 else "starts"
    return f"{len(lost)} {starts} did not converge (residual up to {residual:.2g}, regret up to {regret:.2g})"


def _joined(texts: Sequence[str] | None) -> str:
    if texts is None:
        return "–"
    return texts[0] if len(set(texts)) == 1 else "/".join(texts)
