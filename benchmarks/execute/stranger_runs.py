"""Let an agent meet a population of strangers, as a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from coopgym.benchmarks.execute.scenario_runs import seated
from coopgym.benchmarks.strangers import MissingAnchorsError, kept_values, play_valued
from coopgym.benchmarks.strangers.anchors import may_draw
from coopgym.benchmarks.study import RunSpec, StrangersMeeting

if TYPE_CHECKING:
    from coopgym.benchmarks.study.grouping import Supply


def meet_strangers(spec: RunSpec, meeting: StrangersMeeting, policies: Supply) -> dict[str, Any]:
    """Meet all partners of a population, and return what there is to tell of it as columns of ``runs``.

    Args:
        spec: the run.
        meeting: whom it meets.
        policies: agents by the run that trained them, or why they cannot be had.

    Raises:
        LostAgentsError: the policies of a learner cannot be had.
        MissingAnchorsError: nobody has computed what the scenarios are worth.
    """
    found = play_valued(
        kept_values(spec.game, meeting.population),
        lambda seat: seated(meeting.focal, seat, policies),
        spec.episodes if may_draw(seated(meeting.focal, 0, policies)) else None,
    ).scenarios
    return {
        "stranger_scenarios": [each.scenario.name for each in found],
        "stranger_kinds": [each.scenario.kind for each in found],
        "stranger_returns": [each.focal_return for each in found],
        "stranger_partner_returns": [each.partner_return for each in found],
        "stranger_random": [each.random for each in found],
        "stranger_floors": [each.floor for each in found],
        "stranger_ceilings": [each.ceiling for each in found],
    }


def unvalued(specs: Iterable[RunSpec]) -> list[str]:
    """Say for which runs nobody has computed what their scenarios are worth, and what to do: they would fail.

    >>> from coopgym.benchmarks.study import expand, load_study
    >>> unvalued(expand(load_study("strangers"), ["TrustDilemma-v1/TitForTat/*"]))
    []
    """
    faults = []
    for game, name in dict.fromkeys((spec.game, spec.strangers.population) for spec in specs if spec.strangers):
        try:
            kept_values(game, name)
        except MissingAnchorsError as error:
            faults.append(str(error))
    return faults
