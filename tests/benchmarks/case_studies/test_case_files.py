"""Case files: what is in them, and what is refused."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from coopgym.benchmarks.case_studies import CaseFile, CaseFileError, case_hash, case_names, load_case
from coopgym.benchmarks.case_studies import case_file as files
from coopgym.benchmarks.case_studies.scorecard import MODELS

ITEMS = {"slcd": (24, 60.0), "renault-nissan": (14, 60.0), "apache": (24, 60.0), "app-store": (51, 51.0)}
V2_POINTS = {"slcd": 60.0, "renault-nissan": 60.0, "apache": 60.0, "app-store": 49.0}


def content(name: str) -> dict[str, Any]:
    return tomllib.loads((files.CASES / f"{name}.toml").read_text("utf-8"))


@pytest.mark.parametrize("name", ITEMS)
def test_rubrics_have_the_published_items_and_points(name: str) -> None:
    reference, strict = (load_case(name).criteria(rubric) for rubric in ("reference", "v2"))
    assert (len(reference), sum(criterion.points for criterion in reference)) == ITEMS[name]
    assert sum(criterion.points for criterion in strict) == V2_POINTS[name]


@pytest.mark.parametrize("name", ITEMS)
def test_everything_in_the_second_rubric_is_computed_and_can_earn_all_and_less(name: str) -> None:
    for criterion in load_case(name).criteria("v2"):
        assert criterion.kind == "computed"
        assert criterion.informative
        assert (criterion.least, criterion.most) == (criterion.otherwise, criterion.points)
        assert criterion.least < criterion.most


@pytest.mark.parametrize("name", ITEMS)
def test_rubrics_name_measures_that_exist(name: str) -> None:
    case = load_case(name)
    named = {criterion.measure for rubric in ("reference", "v2") for criterion in case.criteria(rubric)} - {""}
    assert named == set(MODELS[case.mechanism].measures)


@pytest.mark.parametrize("name", ITEMS)
def test_dependence_follows_from_its_rows(name: str) -> None:
    for each in load_case(name).dependence:
        assert each.recomputed == pytest.approx(each.published, abs=0.005)


def test_the_one_published_derivation_rounds_to_its_coefficient() -> None:
    (row,) = [each for each in load_case("app-store").dependence if each.status == "published"]
    assert row.recomputed == pytest.approx(0.8775)


@pytest.mark.parametrize("name", ["slcd", "renault-nissan", "app-store"])
def test_models_depend_as_the_rows_say(name: str) -> None:
    case = load_case(name)
    for each in case.dependence:
        row, column = case.actors.index(each.depender), case.actors.index(each.dependee)
        assert case.parameters["dependence"][row][column] == each.published


def test_phases_of_the_replayed_history_have_their_quarters() -> None:
    steps = {name: sum(phase.steps for phase in load_case(name).phases) for name in ITEMS}
    assert steps == {"slcd": 31, "renault-nissan": 105, "apache": 240, "app-store": 66}


@pytest.mark.parametrize("name", ITEMS)
def test_documented_thresholds_name_dated_evidence(name: str) -> None:
    case = load_case(name)
    dates = {evidence.date for evidence in case.evidence}
    for criterion in case.criteria("v2"):
        if criterion.basis == "documented":
            assert {*criterion.evidence.split("; ")} <= dates, criterion.id


def test_another_case_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(CaseFileError, match="did you mean 'slcd'"):
        load_case("slcdd")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"titel": "S-LCD"}, "did you mean 'title'"),
        ({"dropped": ["S9.9"]}, "unknown criterion 'S9.9'"),
        ({"phases": [{"name": "p", "start": "1", "end": "2", "steps": 0}]}, "greater than or equal to 1"),
    ],
)
def test_faults_of_a_case_file_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CaseFile(**{**content("slcd"), **change})


def test_dependence_that_its_rows_do_not_give_is_refused() -> None:
    case = content("slcd")
    case["dependence"][0]["published"] = 0.9
    with pytest.raises(ValidationError, match=r"rows give 0\.8600, published is 0\.9"):
        CaseFile(**case)


def test_credit_that_rises_with_worse_values_is_refused() -> None:
    case = content("apache")
    case["reference"][3]["credit"].reverse()
    with pytest.raises(ValidationError, match="credit must fall from level to level"):
        CaseFile(**case)


def test_the_hash_follows_the_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: case_hash(name) for name in case_names()}
    assert len({*before.values()}) == len(ITEMS)
    text = (files.CASES / "slcd.toml").read_text("utf-8").replace("above = 15.0", "above = 14.0")
    (tmp_path / "slcd.toml").write_text(text, "utf-8")
    monkeypatch.setattr(files, "CASES", tmp_path)
    assert case_hash("slcd") != before["slcd"]
