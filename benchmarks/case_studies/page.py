"""The page of the cases: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from coopgym.benchmarks.case_studies.case_file import load_case
from coopgym.benchmarks.case_studies.figures import network, strip, timeline
from coopgym.benchmarks.case_studies.fitting import fit_case
from coopgym.benchmarks.case_studies.replay import Replay, replay
from coopgym.benchmarks.case_studies.scorecard import Scorecard
from coopgym.benchmarks.drawing.template import page_template
from coopgym.benchmarks.provenance import package_version


def render_cases(cards: Mapping[str, Sequence[Scorecard]]) -> str:
    """Return the page of some cases, their histories replayed in both editions and partners fitted to them.

    The same cases give the same bytes.

    Args:
        cards: scores of the models of each case.
    """
    return page_template("case_studies/page.html.j2").render(
        cases=[
            {
                "name": name,
                "case": load_case(name),
                "timeline": Markup(timeline(load_case(name), _histories(name))),
                "network": Markup(network(load_case(name))) if load_case(name).dependence else None,
                "histories": _histories(name),
                "partners": fit_case(name),
                "cards": [{"card": card, "strip": Markup(strip(card))} for card in scored],
            }
            for name, scored in cards.items()
        ],
        version=package_version(),
    )


def _histories(name: str) -> list[Replay]:
    return [replay(name, "v1"), replay(name, "v0")]
