"""``coopgym case``: what it prints and writes, and what it never says."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.case_studies import case_names, load_case, score_case
from coopgym.benchmarks.case_studies.page import render_cases
from coopgym.benchmarks.cli.main import app

CLAIMS = re.compile(r"accura|verif|valid|signific|proof|[✓✔✅☑]|p\s*[<=]\s*0?\.\d", re.IGNORECASE)
"""What scores of this kind cannot claim."""


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["case", *arguments], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    return result.output


def test_all_cases_are_listed() -> None:
    listed = said("list").splitlines()
    assert [line.split()[0] for line in listed] == case_names()


@pytest.mark.parametrize("rubric", ["reference", "v2"])
def test_nothing_that_is_printed_or_written_claims_too_much(rubric: str, tmp_path: Path) -> None:
    place = tmp_path / "scores.json"
    text = said("score", "all", "--rubric", rubric, "--json", str(place)) + place.read_text("utf-8")
    assert CLAIMS.findall(text) == []


def test_pages_show_every_case_with_its_figures_and_claim_nothing(tmp_path: Path) -> None:
    place = tmp_path / "cases.html"
    cards = {name: score_case(name) for name in ("slcd", "apache")}
    place.write_text(page := render_cases(cards), "utf-8")
    assert page == render_cases(cards)
    assert page.count("<svg") == 3 + 2 * len(cards)  # timelines, one network, and a strip for each model
    assert 'id="slcd"' in page
    assert all(html.escape(evidence.fact) in page for evidence in load_case("apache").evidence)
    assert CLAIMS.findall(re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", page, flags=re.DOTALL)) == []


def test_every_criterion_is_printed_with_its_points(tmp_path: Path) -> None:
    place = tmp_path / "scores.json"
    text = said("score", "apache", "--json", str(place))
    records = json.loads(place.read_text("utf-8"))
    assert [record["variant"] for record in records] == ["mean", "sum"]
    for record in records:
        for criterion in record["criteria"]:
            row = rf"{re.escape(criterion['id'])}\b.*\b{criterion['points']:g}/{criterion['of']:g}\b"
            assert re.search(row, text), criterion["id"]
        assert f"total: {record['subtotals']['total']['points']:g} of 60" in text
        assert record["case_hash"] in text


def test_dependence_is_printed_with_its_status() -> None:
    text = said("score", "slcd")
    assert "Sony on Samsung: 0.8600, published 0.86; rows: partly published" in text
    assert "Samsung on Sony: 0.6400, published 0.64; rows: reconstruction" in text


def test_another_case_is_refused() -> None:
    result = CliRunner().invoke(app, ["case", "score", "apachee"])
    assert result.exit_code == 2
    assert "did you mean 'apache'" in result.output


def test_texts_of_case_files_are_our_own() -> None:
    """No percentages and no claims in what a case file says about the published account."""
    for name in case_names():
        assert CLAIMS.findall(" ".join([load_case(name).story, *load_case(name).discrepancies])) == []
