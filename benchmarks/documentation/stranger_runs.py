"""What agents reach among strangers, from a corpus of the studies `strangers` and `strangers-learners`."""

from __future__ import annotations

from functools import cache

from coopgym.benchmarks.documentation.sources import STRANGERS
from coopgym.benchmarks.documentation.wording import paragraph, short
from coopgym.benchmarks.documentation.wording import table as written_table
from coopgym.benchmarks.drawing.formatting import spread
from coopgym.benchmarks.score import Estimate, FirstTable, Leaderboards, Question
from coopgym.benchmarks.score.estimates import score_text
from coopgym.benchmarks.score.first_table import WITH_ITSELF, WITH_STRANGERS
from coopgym.benchmarks.score.paired import SIGNIFICANCE, Comparison
from coopgym.benchmarks.score.partner_training import gains_of_partners
from coopgym.benchmarks.score.stranger_scores import strangers_table
from coopgym.corpus.reader import load_corpus

IDENTIFYING = "coopgym.benchmarks.strangers:Identifying"
ENOUGH = 0.5
"""Half of what there is to be had from finding out who is there."""


@cache
def _first() -> FirstTable:
    return Leaderboards(load_corpus(STRANGERS).runs.arrow).first_table


def _question() -> Question:
    return next(each for each in _first().questions if each.name == WITH_STRANGERS)


def reached_table() -> str:
    """Return what everybody scores, alone and among strangers, best among strangers first."""
    found = _first()
    rows = [row for row in found.rows if row.answers[WITH_STRANGERS]]
    rows.sort(key=lambda row: -_value(row.answers[WITH_STRANGERS]))
    return written_table(
        ("agent", "with strangers", "group", "with itself", "exploited by"),
        (
            (
                row.title,
                _told(row.answers[WITH_STRANGERS]),
                row.groups[WITH_STRANGERS],
                _told(row.answers.get(WITH_ITSELF)),
                "" if row.exploited_by is None else f"{row.exploited_by.partner}, {_told(row.exploited_by.normalised)}",
            )
            for row in rows
        ),
    )


def reached() -> str:
    """Say how many agents beat the best single number, and whether play with oneself tells who does well."""
    found, question = _first(), _question()
    scores = {each.name: question.answer(each) for each in question.shown}
    above = [name for name, score in scores.items() if score and score.low is not None and score.low > 0.0]
    correlation = found.rank_correlation(WITH_ITSELF, WITH_STRANGERS)
    ranks = "" if correlation is None else (
        f" Ranks with itself and with strangers correlate by {_told(correlation)} over {correlation.n} rows of agents."
    )  # fmt: skip
    return paragraph(f"""
        On {question.scope}: of {len(scores)} agents, constants and oracles that are shown, {len(above)} surely earn
        more than the best single number{f": {', '.join(above)}" if above else ""}.{ranks}
        In brackets: 95 % intervals for other partners and other seeds.
    """)


def identified() -> str:
    """Say in how many games the agent that knows the training partners finds out whom it is among."""
    table = strangers_table(load_corpus(STRANGERS).runs.arrow)
    found = {short(task.setting.environment): table.cell(IDENTIFYING, task) for task in table.tasks}
    scores = {game: cell.value for game, cell in found.items() if cell is not None}
    above = sum(score >= ENOUGH for score in scores.values())
    told = ", ".join(f"{game} {score_text(score)}" for game, score in sorted(scores.items(), key=lambda each: -each[1]))
    return paragraph(f"""
        `{IDENTIFYING}` has played {len(scores)} games and scores at least {ENOUGH} in {above} of them: {told}.
    """)


def trained() -> str:
    """Say what training with partners brings, learner by learner."""
    scores = _first().strangers
    assert scores is not None, "the corpus holds runs among strangers"
    found = gains_of_partners(scores, load_corpus(STRANGERS).runs.arrow)
    return paragraph(" ".join(map(_gain, found)))


def _gain(found: Comparison) -> str:
    certain = "" if found.different() else f", not told apart at {SIGNIFICANCE}"
    return f"{found.first} against {found.second}: {_told(found.test.difference)}{certain}."


def _value(estimate: Estimate | None) -> float:
    return float("-inf") if estimate is None else estimate.value


def _told(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    around = spread(estimate)
    return score_text(estimate.value) + (f" ({around})" if around else "")
