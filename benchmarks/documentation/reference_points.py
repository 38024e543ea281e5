"""What solves each game, from kept certificates: the part of its page that nobody types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from coopgym.benchmarks.certificates.record_text import number, numbers, percent, settled
from coopgym.benchmarks.documentation.kept import kept_certificates, kept_commitments
from coopgym.games.page_document import Section, TableRow


def dilemma(game: str) -> Section | None:
    """Return the reference points of a game from its kept certificate; None where none is kept."""
    facts = kept_certificates().get(game)
    if facts is None:
        return None
    rows: list[TableRow] = [
        ("play", "share of endowment, %", "without the mechanism, %", "welfare"),
        ("private Nash", percent(facts["nash"]), percent(facts.get("nash_off")), number(facts["W_nash"], 3)),
        (
            "coopetitive",
            percent(facts["coopetitive_T0"]),
            percent(facts.get("coopetitive_off")),
            number(facts["W_coopetitive"], 3),
        ),
        ("coopetitive, full trust", percent(facts["coopetitive_T1"]), percent(facts.get("coopetitive_T1_off")), "–"),
        ("social optimum", percent(facts["optimum"]), "–", number(facts["W_optimum"], 3)),
        *_commitments(game, facts),
    ]
    said = (
        f"{'A' if facts['qualifies'] else 'Not a'} certified dilemma: price of anarchy {number(facts['poa'], 3)}, "
        f"greed at the optimum {numbers(facts['greed'], 3)}, fear at Nash {numbers(facts['fear'], 3)}. Shares are "
        "those of the stage game at reset, one per group of seats; committed agents keep to one share each for an "
        "episode. Welfare is the mean payoff of a step."
    )
    return Section("Dilemma", (said,), tuple(rows))


def _commitments(game: str, facts: Mapping[str, Any]) -> Iterator[TableRow]:
    kept, groups = kept_commitments().get(game), len(facts["optimum"])
    if kept is None:
        return
    for reward, basins in kept["basins"].items():
        shares = facts.get(f"committed_{reward}_off", ())
        off = " or ".join(percent(shares[begin : begin + groups], 1) for begin in range(0, len(shares), groups))
        yield (f"committed, {reward} reward", settled(basins), off or "–", "–")
    yield ("committed, optimum", percent(kept["optimum"]), "–", number(kept["W_optimum"], 3))
