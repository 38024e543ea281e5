"""Scores of the cases: totals, subtotals, probes, nulls and ablations as they are known from the released suites."""

from __future__ import annotations

from functools import cache

import pytest

from coopgym.benchmarks.case_studies import Compared, Scorecard, score_case
from coopgym.benchmarks.case_studies.case_file import Rubric


@cache
def cards(case: str, rubric: Rubric = "reference") -> dict[str, Scorecard]:
    return {card.variant: card for card in score_case(case, rubric)}


def compared(case: str, variant: str, name: str, rubric: Rubric = "reference") -> Compared:
    (found,) = [each for each in cards(case, rubric)[variant].compared if each.name == name]
    return found


@pytest.mark.parametrize(
    ("case", "variant", "categories"),
    [
        ("slcd", "logarithmic", (10, 15, 13, 10, 10)),
        ("slcd", "power", (10, 7, 9, 10, 10)),
        ("renault-nissan", "released", (10, 15, 15, 9)),
        ("apache", "mean", (12, 12, 11, 10)),
        ("apache", "sum", (15, 15, 15, 15)),
        ("app-store", "exponential", (8.5, 10, 8, 6.5, 10)),
    ],
)
def test_the_reference_rubric_gives_the_printed_points(case: str, variant: str, categories: tuple[float, ...]) -> None:
    card = cards(case)[variant]
    assert tuple(subtotal.points for subtotal in card.categories.values()) == categories
    assert card.total.points == sum(categories)


@pytest.mark.parametrize(
    ("case", "variant", "points", "of"),
    [
        ("slcd", "logarithmic", 41, 43),
        ("renault-nissan", "released", 39, 45),
        ("apache", "mean", 33, 48),
        ("app-store", "exponential", 18.5, 24),
    ],
)
def test_what_remains_without_points_for_nothing(case: str, variant: str, points: float, of: float) -> None:
    assert cards(case)[variant].informative == (points, of)


def test_floors_and_ends() -> None:
    card = cards("app-store")["exponential"]
    assert (card.least, card.most) == (32.5, 50.0)
    assert cards("renault-nissan")["released"].most == 55.0


@pytest.mark.parametrize(
    ("case", "variant", "name", "total"),
    [
        ("slcd", "logarithmic", "no dependence", 53),
        ("slcd", "logarithmic", "alone with the synergy", 53),
        ("slcd", "power", "alone with the synergy", 60),
        ("slcd", "power", "small synergy", 60),
        ("renault-nissan", "released", "no negativity", 43),
        ("renault-nissan", "released", "no reputation", 41),
        ("renault-nissan", "released", "neither", 36),
        ("renault-nissan", "released", "intended start", 49),
        ("renault-nissan", "released", "no diagonal", 46),
        ("apache", "mean", "coded efforts", 52),
        ("apache", "mean", "game's efforts", 60),
        ("app-store", "exponential", "no reciprocity", 39.5),
        ("app-store", "exponential", "shocks only", 40.5),
        ("app-store", "exponential", "constant", 40.5),
        ("app-store", "exponential", "reference points", 48.5),
        ("app-store", "exponential", "windows apart", 45),
    ],
)
def test_probes_and_ablations_earn_what_is_known(case: str, variant: str, name: str, total: float) -> None:
    assert compared(case, variant, name).mean == total


@pytest.mark.parametrize(
    ("case", "variant", "name", "mean", "error"),
    [
        ("slcd", "logarithmic", "random structure", 54.18, 0.1),
        ("slcd", "power", "random structure", 45.80, 0.1),
        ("apache", "mean", "random", 41.7, 0.3),
        ("apache", "mean", "random, declining", 59.0, 0.1),
        ("app-store", "exponential", "random walk", 41.3, 0.35),
    ],
)
def test_nulls_earn_what_is_known_on_average(case: str, variant: str, name: str, mean: float, error: float) -> None:
    assert compared(case, variant, name).mean == pytest.approx(mean, abs=error)


@pytest.mark.parametrize(
    ("case", "variant", "name", "part", "error"),
    [
        ("slcd", "logarithmic", "random structure", 0.30, 0.02),
        ("renault-nissan", "released", "random parameters", 0.89, 0.03),
        ("apache", "mean", "random", 0.34, 0.02),
        ("app-store", "exponential", "other noise", 0.64, 0.06),
    ],
)
def test_nulls_reach_the_model_as_often_as_known(case: str, variant: str, name: str, part: float, error: float) -> None:
    assert compared(case, variant, name).at_least == pytest.approx(part, abs=error)


@pytest.mark.parametrize(
    ("case", "variant", "without"),
    [
        ("slcd", "logarithmic", "no dependence"),
        ("renault-nissan", "released", "neither"),
        ("app-store", "exponential", "no reciprocity"),
        ("app-store", "window", "no reciprocity"),
    ],
)
def test_strict_totals_fall_without_the_mechanism(case: str, variant: str, without: str) -> None:
    assert compared(case, variant, without, "v2").mean < cards(case, "v2")[variant].total.points


def test_the_constant_team_is_printed_beside_the_model() -> None:
    assert compared("apache", "mean", "constant", "v2").draws == 1


def test_the_productivity_that_the_coded_efforts_need_grows_and_falls() -> None:
    needed = {
        fork: [
            round(card.diagnostics[f"productivity that the coded effort of phase {k} needs"], 1) for k in range(1, 5)
        ]
        for fork, card in cards("apache").items()
    }
    assert needed["mean"] == pytest.approx([28, 131, 254, 222], abs=0.7)
    assert needed["sum"] == pytest.approx([8.4, 14.5, 20.0, 21.9], abs=0.15)


@pytest.mark.parametrize("case", ["slcd", "renault-nissan", "apache", "app-store"])
def test_records_and_lines_agree_item_by_item(case: str) -> None:
    for card in cards(case).values():
        record = card.record()
        assert [(each["id"], each["points"]) for each in record["criteria"]] == [
            (line.criterion.id, line.points) for line in card.lines
        ]
        assert (
            record["subtotals"]["total"]["points"]
            == card.total.points
            == sum(card_line.points for card_line in card.lines)
        )


def test_scores_are_the_same_every_time() -> None:
    again = {card.variant: card.record() for card in score_case.__wrapped__("app-store")}
    assert again == {variant: card.record() for variant, card in cards("app-store").items()}
