"""What an annotator's feedback comes to, from kept results."""

from __future__ import annotations

from functools import cache

import numpy as np

from coopgym.benchmarks.documentation.wording import paragraph, short, table
from coopgym.benchmarks.experiments.rewards.annotated_rewards import AGREEMENT, KEPT, LEARNED_FROM, MODE, SPEED
from coopgym.benchmarks.experiments.rewards.kept import Kept, kept
from coopgym.benchmarks.experiments.rewards.shaping_speed import saved
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate, score_text

LEVEL, AIM = 0.8, 0.95
"""Of the way to the last evaluation; and part of the steps that are to be made beside a busy annotator."""


@cache
def _record() -> Kept:
    """Return what is kept of annotators."""
    return kept(KEPT)


def study() -> str:
    """Say how the models agree, and what an annotator costs in time."""
    record = _record()
    settings, agreed, speed = record["settings"], record["parts"][AGREEMENT], record["parts"][SPEED]
    busy, cost = (
        mean_estimate(np.divide(speed[name], speed[other]).tolist())
        for name, other in (("busy", "none"), ("none", "alone"))
    )
    agreement = ", ".join(f"{model} {part:.0%}" for model, part in agreed.items())
    assert busy is not None
    verdict = "is shown" if busy.low is not None and busy.low >= AIM else "is not shown"
    return paragraph(f"""
        With all captions labelled, of as many captions as are helpful these parts of those that a model puts first are:
        {agreement}. Beside an annotator in a thread that takes {settings["delay"]:g} s for an answer, and was at work
        in {np.mean(speed["at_work"]):.0%} of the looks at it, an environment of {settings["copies"]} copies makes
        {_told(busy)} of the steps per second that it makes beside one that answers at once: at least {AIM:g}
        {verdict}. The transform itself costs more than any annotator: beside the mode alone it makes {_told(cost)} of
        the steps. {settings["turns"]} turns of {settings["steps"]:,} steps of each, in alternating slices, on a shared
        machine (`{record["command"]}`; kept result of {record["date"]}).
    """)


def learned_from() -> str:
    """Return how many episodes learning takes with an annotator and without."""
    record = _record()
    settings, (plain, _) = record["settings"], saved(record, MODE, LEVEL)
    rows = [
        (f"`{reward}`", _told(saved(record, reward, LEVEL)[1]), _reached(record, reward), _told(_gain(record, reward)))
        for reward in LEARNED_FROM
    ]
    words = paragraph(f"""
        IPPO in {short(settings["game"])}, {settings["seeds"]} seeds of {settings["env_steps"]:,} steps, evaluated on
        the mode. Without an annotator it takes {_told(plain)} episodes to come {LEVEL:g} of the way from its first
        evaluation to its last; its return then is {_told(mean_estimate(_last(record, MODE)))}. Differences are
        paired by seed; fewer episodes are those of the seeds that came to the level.
    """)
    headings = ("reward", "fewer episodes to that level", "seeds that came there", "more return at the end")
    return f"{table(headings, rows)}\n\n{words}"


def _gain(record: Kept, reward: str) -> Estimate | None:
    return mean_estimate(np.subtract(_last(record, reward), _last(record, MODE)).tolist())


def _last(record: Kept, reward: str) -> list[float]:
    return [values[-1] for values in record["parts"][reward]["values"]]


def _reached(record: Kept, reward: str) -> str:
    """How many seeds came to the level."""
    first, *_, last = np.mean(record["parts"][MODE]["values"], axis=0)
    curves = np.array(record["parts"][reward]["values"])
    return f"{int((curves.max(1) >= first + LEVEL * (last - first)).sum())} of {len(curves)}"


def _told(estimate: Estimate | None) -> str:
    if estimate is None:
        return "never"
    if estimate.low is None or estimate.high is None:
        return score_text(estimate.value)
    return f"{score_text(estimate.value)} ({score_text(estimate.low)} … {score_text(estimate.high)})"
