"""The report: complete, self-contained, repeatable, and kind to what a corpus lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.report import SUMMARY_FILE, render
from coopgym.benchmarks.report.sections.audits.crosscheck import audit_crosscheck
from coopgym.benchmarks.report.sections.games import games
from coopgym.benchmarks.report.sections.learner_vs_best_constant import learner_vs_best_constant
from coopgym.benchmarks.score import Leaderboards, cells_csv
from coopgym.benchmarks.study import Study
from coopgym.corpus import Corpus, load_corpus
from tests.benchmarks.report_corpora import (
    Row,
    everything,
    learned,
    met,
    played,
    run_row,
    scripted,
    surface_rows,
    written,
)

VOID = {"meta", "br", "img", "hr", "link", "input"}
STUDY = {
    "name": "hand",
    "description": "Written by <hand>.",
    "blocks": [{"learners": [{"name": "IPPO", "label": ""}, {"name": "IPPO", "label": "IPPO-again"}]}],
}


class Reader(HTMLParser):
    """Collects what a page would fetch, its ids, and checks that its elements nest."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.sources += [named[name] or "" for name in ("src", "srcset", "data", "action") if name in named]
        self.links += [named[name] or "" for name in ("href", "xlink:href") if name in named]
        self.ids += [named["id"] or ""] if "id" in named else []
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] in (["h2"], ["h3"]):
            self.headings.append(data.strip())


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return written(tmp_path_factory.mktemp("everything"), everything(), json.dumps(STUDY))


@pytest.fixture(scope="module")
def page(corpus: Corpus) -> str:
    return render(corpus)


def section(page: str, name: str) -> str:
    """The part of a page below a heading, tags left out."""
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    assert found is not None, f"no section {name}"
    return re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", found[0], flags=re.DOTALL))


def test_the_page_needs_nothing_from_outside(page: str) -> None:
    reader = read(page)
    assert reader.sources == []
    assert all(link.startswith("#") for link in reader.links)
    assert not re.search(r"https?:|@import|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_ids_are_unique_and_references_resolve(page: str) -> None:
    reader = read(page)
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link[1:] for link in reader.links} | set(re.findall(r"url\(#([^)]+)\)", page)) <= set(reader.ids)
    labels = re.findall(r'<svg role="img" aria-label="([^"]*)"', page)
    assert labels
    assert len(set(labels)) == len(labels)


def test_the_page_shows_every_part_and_lists_it_in_the_contents(page: str) -> None:
    titles = [
        "Ranking",
        "By mechanism class",
        "Pair by pair",
        "Mutuality continuum",
        "What integrated reward contributes",
        "Crossover of paradigms",
        "Against the best constant",
        "Welfare and equity",
        "Exploitability",
        "Means and draws",
        "Scenarios",
        "Cross-play",
        "Learning",
        "Response to constant cooperation",
        "The games",
        "Every result",
        "Failures",
        "Provenance",
    ]
    assert [title for title in read(page).headings if title in titles] == titles
    contents = re.search(r"<nav.*?</nav>", page, re.DOTALL)
    assert contents is not None
    assert all(title in contents[0] for title in titles)
    assert "Written by &lt;hand&gt;." in page


def test_drawings_take_their_colours_from_the_theme(page: str) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert not re.search(r"(?:fill|stroke): #", drawings)
    used, defined = set(re.findall(r"var\(--(\w+)\)", drawings)), set(re.findall(r"--(\w+):", page))
    assert used <= defined
    assert "prefers-color-scheme: dark" in page


def test_objectives_are_never_mixed_in_a_ranking(page: str) -> None:
    ranking = section(page, "ranking")
    individual, _, team = ranking.partition("All 2 games, team objective")
    tables = individual.partition("All 2 games, individual objective")[2]
    assert "IPPO-again" in tables
    assert "IPPO-team" not in tables
    assert "IPPO-team" in team
    assert "IPPO-again" not in team


def test_runs_that_diverged_count_in_one_table_and_are_left_out_of_another(page: str) -> None:
    with_them, _, without = section(page, "ranking").partition("individual objective, without runs that diverged")
    assert without, "there is a second table"
    scores = [re.search(r"MAPPO\s+(?:[\d.]+)(?:\s+[\d … .]+)?\s+(−?\d\.\d\d)", part) for part in (with_them, without)]
    values = [float(score[1].replace("−", "-")) for score in scores if score]
    assert len(values) == 2
    assert values[0] < values[1]


def test_failures_and_hostile_names_are_shown_as_text(page: str) -> None:
    assert page.count("<script>") == 1, "only the page's own"
    assert "ValueError: &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "MAPPO" in section(page, "failures")
    assert "(at 5,000)" in section(page, "failures")


def test_a_duplicated_learner_shows_the_noise_floor(page: str) -> None:
    assert "Noise floor: IPPO-again against IPPO" in section(page, "comparisons")


AUDIT = {"protocol": "surface", "algorithm_kind": "label", "return_mode": 1.0}
MINIMAL: dict[str, tuple[list[Row], set[str]]] = {
    "one run": ([played("TitForTat", 12.0)], {"games", "results", "failures", "provenance"}),
    "one encounter": ([met("TitForTat", "alone", (1.0, 2.0))], {"scenarios", "games", "failures", "provenance"}),
    "only constants": (
        [played(f"Constant_{level:02d}", 5.0 + level / 10) for level in (0, 50, 100)],
        {"games", "results", "failures", "provenance"},
    ),
    "only failures": (
        [run_row("IPPO", seed=seed, status="failed", error="E: no") for seed in (1, 2)],
        {"games", "results", "failures", "provenance"},
    ),
    "only divergence": (
        [run_row("IPPO", status="diverged", diverged_at_step=3)],
        {"games", "results", "failures", "provenance"},
    ),
    "an unknown game": (
        [played("TitForTat", 1.0, environment="Gone-v9", env_parameters="{}")],
        {"games", "results", "failures", "provenance"},
    ),
    "two runs in one place": (
        [played("IPPO", 1.0), played("IPPO", 2.0, run_id="other", view="full")],
        {"conflict", "games", "failures", "provenance"},
    ),
}


@pytest.mark.parametrize("name", MINIMAL)
def test_sections_without_content_are_left_out(name: str, tmp_path: Path) -> None:
    rows, expected = MINIMAL[name]
    page = render(written(tmp_path, {"runs": rows}))
    assert set(re.findall(r'<section id="([\w-]+)"', page)) == expected
    read(page)


def test_a_corpus_of_audits_is_about_audits(tmp_path: Path, run: Any) -> None:
    study = Study.model_validate(
        {
            "name": "audits",
            "rewards": ["private", "integrated"],
            "audits": [
                {
                    "protocol": protocol,
                    "games": ["TrustDilemma-v1"],
                    "parameters": {"max_steps": 6},
                    "options": {"surface_step": 0.25, "grid_step": 0.25, "search": None, "partners": ["TitForTat"]},
                }
                for protocol in ("surface", "unilateral", "temporal", "reactive")
            ],
        }
    )
    run(study, tmp_path)
    page = render(load_corpus(tmp_path))
    found = re.findall(r'<section id="(\w+)"', page)
    assert found == [
        "exploitation",
        "surfaces",
        "unilateral",
        "temporal",
        "reactive",
        "games",
        "failures",
        "provenance",
    ]
    assert "No ranking" not in page
    for label in (
        "Share of exploitative deviations by game",
        "Response to common levels, surface audit of TrustDilemma-v1, max_steps = 6, return",
        "Exploitable common levels by game",
        "Gains of leaving a common level in TrustDilemma-v1, max_steps = 6, integrated",
        "Gains of deviating in time in TrustDilemma-v1, max_steps = 6, private, temporal audit",
    ):
        assert f'aria-label="{label}"' in page
    assert "In 1 of 1 games the best common level lies inside" in page


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("temporal", ["temporal"]),
        ("unilateral", ["exploitation", "unilateral"]),
        ("reference_temporal", ["exploitation", "temporal"]),
    ],
)
def test_audits_of_one_kind_stand_alone(protocol: str, expected: list[str], tmp_path: Path, run: Any) -> None:
    options = {"grid_step": 0.5, "surface_step": 0.5, "search": None, "bases": [0.5]}
    audit = {"protocol": protocol, "games": ["TrustDilemma-v1"], "parameters": {"max_steps": 6}, "options": options}
    run(Study.model_validate({"name": "one", "rewards": ["private"], "seeds": [1], "audits": [audit]}), tmp_path)
    page = render(load_corpus(tmp_path))
    assert re.findall(r'<section id="(\w+)"', page) == [*expected, "games", "failures", "provenance"]


def test_an_agent_like_the_best_constant_is_drawn_too(tmp_path: Path, only: Callable[..., None]) -> None:
    only(learner_vs_best_constant)
    page = render(
        written(
            tmp_path,
            {"runs": [*scripted(), played("IPPO", 26.0, reward_mode="integrated"), played("mine:Agent", 26.0)]},
        )
    )
    assert "In 0 of 1 cases" in page


def test_the_published_audit_shows_when_defection_begins_to_pay(
    tmp_path: Path, run: Any, only: Callable[..., None]
) -> None:
    only(audit_crosscheck)
    audits = [
        {"protocol": protocol, "games": ["TrustDilemma-v0"], "seeds": [99], "labels": labels}
        for protocol, labels in (("reference_surface", ["ISAC", "Random"]), ("reference_temporal", None))
    ]
    run(Study.model_validate({"name": "published", "rewards": ["integrated"], "audits": audits}), tmp_path)
    text = section(render(load_corpus(tmp_path)), "exploitation")
    assert "When defection begins to pay" in text
    assert "no switch to defection pays" in text
    assert re.search(r"labels\s+2, all alike", text)


def test_labels_and_seeds_that_repeat_an_audit_are_drawn_once(tmp_path: Path) -> None:
    rows = [run_row(name, run_id=name, **AUDIT) for name in ("ISAC", "VDN")]
    details = [row for name in ("ISAC", "VDN") for row in surface_rows(name)]
    page = render(written(tmp_path, {"runs": rows, "audit_surface": details}))
    assert page.count('aria-label="Response to common levels') == 2, "return and trust"


def test_certificates_beside_a_corpus_are_shown(tmp_path: Path, only: Callable[..., None]) -> None:
    only(games)
    cli = CliRunner()
    made = cli.invoke(app, ["solve", "TrustDilemma-v1", "--set", "max_steps=6", "-o", str(tmp_path / "certificates")])
    assert made.exit_code == 0, made.output
    rows = [played("TitForTat", 1.0, env_parameters='{"max_steps":6}')]
    page = render(written(tmp_path / "runs", {"runs": rows}))
    text = section(page, "games")
    assert "certificates that coopgym solve wrote" in text
    assert "closed, full trust" in text
    assert "One share for a whole episode of TrustDilemma-v1" in page


def test_many_learners_fill_a_grid_instead_of_crowding_a_figure(tmp_path: Path, only: Callable[..., None]) -> None:
    only(learner_vs_best_constant)
    rows = [*scripted(), *(row for number in range(8) for row in learned(f"L{number}", 12.0 + number))]
    page = render(written(tmp_path, {"runs": rows}))
    assert 'aria-label="Learners against the best constant, integrated reward"' in page
    assert "Brackets: the interval over seeds holds zero, or there are too few seeds for one." in section(
        page, "exceedance"
    )


def test_the_command_writes_the_same_bytes_and_the_summary(corpus: Corpus, page: str, tmp_path: Path) -> None:
    cli = CliRunner()
    place = tmp_path / "own.html"
    result = cli.invoke(app, ["report", str(corpus.path), "--out", str(place)])
    assert result.exit_code == 0, result.output
    written = place.read_text(encoding="utf-8")
    marks = re.findall(r'<meta name="coopgym-[\w.]+" content="\w+">\n', written)
    assert len(marks) == 4
    assert written.replace("".join(marks), "") == page
    assert (tmp_path / SUMMARY_FILE).read_text(encoding="utf-8") == cells_csv(Leaderboards(corpus.runs.arrow))
    missing = cli.invoke(app, ["report", str(tmp_path / "none")])
    assert missing.exit_code == 2
    assert "no such folder" in missing.output
