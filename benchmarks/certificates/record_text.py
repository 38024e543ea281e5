"""Numbers of a record in the words of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from coopgym.oracles.games.grid_refinement import FINE

if TYPE_CHECKING:
    from coopgym.benchmarks.certificates.solution import Record

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
    "episode, private": "equilibria when every seat fixes one share for a whole episode, private reward, %; a range is "
    "a continuum, or as many equilibria as stand before it; unstable ones are in the next column",
    "basins meet, private": "common share, or that of the first of two unequal seats, at which best responses turn "
    "from one of these equilibria to another, %; brackets say from where to where they jump, and are missing where an "
    "unstable equilibrium lies",
    "episode, integrated": "equilibria of whole episodes under integrated reward, %",
    "basins meet, integrated": "where their basins meet, %",
}
"""Columns of the table of games, with their meaning."""
SCREEN = ("game", "private", "coopetitive", "optimum", "PoA", "dilemma")
"""Those that fit on a terminal."""


def overview(record: Record) -> dict[str, str]:
    """Return the cells of a game in the table of games, by column."""
    private, integrated = (record["constant"]["basins"][mode] for mode in ("private", "integrated"))
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
        settled(private),
        meeting(private),
        settled(integrated),
        meeting(integrated),
    )
    return dict(zip(COLUMNS, cells, strict=True))


def percent(shares: Sequence[float] | None, digits: int = 0) -> str:
    """Shares as per cent, one per group, or a dash; equal ones are said once."""
    return _joined(None if shares is None else [_percentage(share, digits) for share in shares])


def _percentage(share: float, digits: int) -> str:
    """Per cent, finer than asked for where that would hide that a share is not quite none or all."""
    coarse = f"{100 * share:.{digits}f}"
    hides = (float(coarse) == 0.0 and share > 0.0) or (float(coarse) == 100.0 and share < 1.0)
    return f"{100 * share:.2f}" if hides else coarse


def numbers(values: Sequence[float] | None, digits: int = 2) -> str:
    """Numbers, one per group, or a dash; equal ones are said once."""
    return _joined(None if values is None else [number(value, digits) for value in values])


def number(value: float | None, digits: int = 2) -> str:
    """A number or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


def settled(basins: Record) -> str:
    """What commitment play settles on, as per cent: equilibria that are not unstable, and continua from end to end."""
    return " or ".join(dict.fromkeys(places(rest) for rest in lasting(basins))) or "–"


def settled_and_paid(basins: Record) -> str:
    """The same with payoffs in brackets."""
    return " or ".join(f"{places(rest)} ({payoffs(rest, 2)})" for rest in lasting(basins)) or "–"


def lasting(basins: Record) -> list[Record]:
    """Equilibria and continua that are not unstable, from low to high."""
    return [rest for rest in rests_of(basins) if rest["stability"] != "unstable"]


def meeting(basins: Record) -> str:
    """Where basins meet, as per cent."""
    return "; ".join(_boundary(boundary) for boundary in basins["boundaries"]) or "–"


def rests_of(basins: Record) -> list[Record]:
    """Equilibria and continua from low to high."""
    return sorted((*basins["equilibria"], *basins["continua"]), key=lambda rest: rest.get("at") or rest["low"])


def places(rest: Record) -> str:
    """An equilibrium, or the ends of a continuum, as per cent; by seat where exchangeable seats play differently."""
    if "at" in rest:
        return percent(rest["at" if rest["symmetric_within_groups"] else "profile"], 1)
    ends = f"{percent(rest['low'], 1)} to {percent(rest['high'], 1)}"
    return ends if rest["members"] is None else f"{rest['members']} from {ends}"


def payoffs(rest: Record, digits: int) -> str:
    """The payoff of an equilibrium, or the lowest and the highest of a continuum."""
    return (
        number(rest["welfare"], digits) if "at" in rest else " to ".join(number(end, digits) for end in rest["welfare"])
    )


def _boundary(boundary: Record) -> str:
    share = percent([boundary["share"]], 1)
    if boundary["answers"] is None:
        return f"{share} ± {50 * boundary['precision']:.1f}"
    below, above = (percent([answer]) for answer in boundary["answers"])
    return share if boundary["equilibrium"] else f"{share} ({below} → {above})"


FOLLOWED = {
    "common shares": "basins are told by the share that all seats start from",
    "answered shares": "basins are told by the share that the first seat starts from while the second answers",
    "starts": "basins are told by common starts, from which seats answer in turn; unstable equilibria were not sought",
}
"""What shares of a basin are, by what was followed."""


def settling(name: str, basins: Record) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield rows of what commitment play settles on under a reward: name, places, payoff, regret and standing."""
    for rest in rests_of(basins):
        kind = "equilibrium" if "at" in rest else "continuum" if rest["members"] is None else "equilibria"
        yield f"{name} {kind}", places(rest), payoffs(rest, 3), f"{rest['regret']:.1g}", _rest_standing(rest)
    for boundary in basins["boundaries"]:
        if not boundary["equilibrium"]:
            yield f"{name} basins meet", percent([boundary["share"]], 1), "", "", _boundary_standing(boundary)
    for share in basins["unsettled"]:
        yield f"{name}, unsettled", percent([share], 1), "", "", "best responses jump down past it: no equilibrium"


def _rest_standing(rest: Record) -> str:
    words = [] if rest["stability"] is None else [rest["stability"]]
    if "at" not in rest:
        words.append(f"audited at {rest['audited']} places")
    if rest["stability"] == "unstable":
        words.append("basins meet here")
    elif rest["basin"] is not None:
        low, high = rest["basin"]
        everywhere = (low, high) == (0.0, 1.0)
        words.append("from everywhere" if everywhere else f"from {percent([low], 1)} to {percent([high], 1)} %")
    return ", ".join(words) or "off what was followed"


def _boundary_standing(boundary: Record) -> str:
    if boundary["answers"] is None:
        return f"starts {100 * boundary['precision']:.0f} % apart lead to different places"
    below, above = (percent([answer]) for answer in boundary["answers"])
    return f"the best response jumps from {below} to {above} %"


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
