"""Scenarios with what each of them is worth: as it is kept, or computed where somebody asks for other partners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coopgym.benchmarks.strangers.anchors import anchored, fits, scenario_digest
from coopgym.oracles.dynamic.deviation_search import EffortName
from coopgym.strangers import Anchor, Population, StrangersScenario, population, populations_of, read_anchors, scenarios
from coopgym.strangers.populations import NAMED, is_whole


class MissingAnchorsError(ValueError):
    """Scenarios have no anchors, or others than theirs; the message says what to do."""


@dataclass(frozen=True)
class ValuedScenarios:
    """Scenarios of one game, and the worth of each."""

    game: str
    population: str
    """Names of those that partners are of."""
    scenarios: tuple[StrangersScenario, ...]
    anchors: tuple[Anchor, ...]
    untrained: tuple[str, ...]
    """Partners who are missing, because nobody has trained them in this game."""
    computed: int = 0
    """How many anchors were computed, because none was kept that fits."""


def kept_values(game: str, name: str = "test") -> ValuedScenarios:
    """Return all scenarios of a population with the anchors that are kept of them.

    Raises:
        MissingAnchorsError: some have none, or those of other partners.
        ValueError, FileNotFoundError: as `coopgym.strangers.population`.

    >>> valued = kept_values("TrustDilemma-v1")
    >>> len(valued.scenarios) == len(valued.anchors), valued.anchors[0].scenario
    (True, 'visitor/0/constant-0.35')
    """
    strangers = population(game, name)
    met, held = scenarios(strangers), read_anchors(strangers)
    lacking = [scenario.name for scenario in met if scenario.name not in held]
    stale = [
        scenario.name
        for scenario in met
        if scenario.name in held and held[scenario.name].digest != scenario_digest(scenario, strangers)
    ]
    if lacking or stale:
        raise MissingAnchorsError(
            f"{strangers.game}, {strangers.name} population: {len(lacking)} of {len(met)} scenarios have no anchors, "
            f"{len(stale)} have those of other partners, such as {(lacking + stale)[0]}; "
            f"`coopgym strangers build {strangers.game} --population {strangers.name}` computes them"
        )
    anchors = tuple(held[scenario.name] for scenario in met)
    return ValuedScenarios(strangers.game, strangers.name, met, anchors, strangers.untrained)


def values_against(
    game: str,
    against: Sequence[str],
    effort: EffortName = "full",
    report: Callable[[float], None] = lambda fraction: None,
) -> ValuedScenarios:
    """Return the scenarios with some partners: with anchors that are kept where they fit, with computed ones elsewhere.

    Mixes are of whole populations only.

    Args:
        game: its id.
        against: names of partners, as `coopgym.strangers.populations_of` reads them.
        effort: of searches; what was searched less thoroughly is searched again.
        report: told the finished fraction after every scenario.

    Raises:
        ValueError: no such game or partner, or nobody to meet.
        FileNotFoundError: the populations are not there.

    >>> valued = values_against("TrustDilemma-v1", ["strangers:test/grim-0.6", "strangers:test/turns-bad"])
    >>> [scenario.name for scenario in valued.scenarios], valued.computed
    (['visitor/0/grim-0.6', 'visitor/0/turns-bad'], 0)
    """
    populations = populations_of(game, against)
    met = [(strangers, scenario) for strangers in populations for scenario in _scenarios(strangers)]
    untrained = tuple(name for strangers in populations for name in strangers.untrained)
    if not met:
        raise ValueError(f"{game}: nobody to meet; {', '.join(untrained) or 'no partner'} is not trained in this game")
    held = {strangers.name: read_anchors(strangers) for strangers in populations}
    anchors: list[Anchor] = []
    computed = 0
    for strangers, scenario in met:
        digest = "" if strangers.name == NAMED else scenario_digest(scenario, strangers)
        anchor = held[strangers.name].get(scenario.name)
        if anchor is None or not fits(anchor, digest, effort):
            anchor, computed = anchored(scenario, digest, effort), computed + 1
        anchors.append(anchor)
        report(len(anchors) / len(met))
    return ValuedScenarios(
        game=populations[0].game,
        population=", ".join(strangers.name for strangers in populations),
        scenarios=tuple(scenario for _, scenario in met),
        anchors=tuple(anchors),
        untrained=untrained,
        computed=computed,
    )


def _scenarios(strangers: Population) -> tuple[StrangersScenario, ...]:
    found = scenarios(strangers)
    return found if is_whole(strangers) else tuple(each for each in found if each.company != "mix")
