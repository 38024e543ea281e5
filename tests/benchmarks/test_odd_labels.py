"""Text of users is text in every output: on terminals, in CSV, on pages, in figures, in files."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.cli.tables import print_rankings
from coopgym.benchmarks.drawing.terminal import TerminalConsole
from coopgym.benchmarks.report import render, write_figures
from coopgym.benchmarks.score import Leaderboards, cells_csv, rankings_csv
from coopgym.corpus import Corpus, load_corpus, table_from_rows
from coopgym.corpus.export import encode
from coopgym.visible_text import visible
from tests.benchmarks.report_corpora import learned, played, scripted, written

LABELS = (
    "[/b]",
    "[a]",
    "[link=https://example.org]here",
    ":smile:",
    r"$\frac$",
    "a $ b $ c",
    "_hidden",
    "\x1b[31mred\x1b[0m",
    "one\rtwo",
    "bell\a",
    "\u202egnp.exe",
    "\x9b2J",
    "<b>&amp;</b>",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2+3",
    "\t=1",
    "中文 🤖",
)
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    rows = [*scripted()]
    for number, label in enumerate(LABELS):
        rows += learned(label, 12.0 + number / 10)
    rows += [played(label, 12.0, reward_mode="private", seed=77, run_id=f"77/{label}") for label in LABELS[:2]]
    return written(tmp_path_factory.mktemp("odd"), {"runs": rows})


def test_a_terminal_shows_every_label_as_it_is(corpus: Corpus) -> None:
    terminal = TerminalConsole(width=300, file=io.StringIO(), force_terminal=False)
    print_rankings(terminal, Leaderboards(corpus.runs.arrow))
    shown = terminal.file.getvalue()  # type: ignore[attr-defined]  # the file is a StringIO
    assert not UNWANTED.search(shown)
    for label in LABELS:
        assert visible(label).strip() in shown


def test_a_page_shows_every_label_as_it_is(corpus: Corpus) -> None:
    page = render(corpus)
    assert not UNWANTED.search(page)
    assert "<b>&amp;</b>" not in page
    for label in (
        "[/b]",
        r"$\frac$",
        "\u241b[31mred",
        "one\u240dtwo",
        "\\u202egnp.exe",
        "&lt;b&gt;&amp;amp;&lt;/b&gt;",
    ):
        assert label in page


def test_tables_for_spreadsheets_hold_no_formulas_and_numbers_as_they_were(corpus: Corpus) -> None:
    leaderboards = Leaderboards(corpus.runs.arrow)
    texts = (cells_csv(leaderboards), rankings_csv(leaderboards), encode(corpus.runs.arrow, "csv").decode())
    for text in texts:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        names = {row["algorithm"] for row in rows}
        assert {"'=1+1", "'+cmd|' /C calc'!A0", "'@SUM(A1)", "'-2+3", "'\t=1", "[/b]"} <= names
    numbers = table_from_rows("curves", [{"run_id": "r", "step": 1, "metric": "-5", "value": -0.5}])
    assert b"-0.5" in encode(numbers, "csv")
    assert b"'-" not in encode(numbers, "csv")


@pytest.mark.parametrize("form", ["svg", pytest.param("png", marks=pytest.mark.slow)])
def test_figures_show_every_label_without_a_warning(corpus: Corpus, tmp_path: Path, form: str) -> None:
    labels = [*(name for name in LABELS[:9] if name != ":smile:"), "中文 🤖"]
    rows = corpus.runs.arrow.to_pylist()
    kept = [row for row in rows if row["algorithm"] in (*labels, "Random", "Constant_00", "Constant_100")]
    small = written(tmp_path / "corpus", {"runs": kept})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files = list(write_figures(small, tmp_path / "figures", form))  # type: ignore[arg-type]  # one of its forms
    assert files
    assert len({path.name.casefold() for path in files}) == len(files)
    if form == "svg":
        drawn = "".join(path.read_text(encoding="utf-8") for path in files)
        assert not UNWANTED.search(drawn)
        for part in (r"$\frac$", "[/b]", r"\u241b[31mred", r"\u4e2d\u6587 \u1f916", "a sign that this typeface lacks"):
            assert part in drawn


STUDY = """
name = "odd"
description = "[/b] \\u001b[31m $\\\\frac$ =1"
seeds = [1, 2]
[[blocks]]
games = ["TrustDilemma-v1"]
parameters = { max_steps = 5 }
agents = ["Random", "odd_agents:Broken"]
constants = { step = 50 }
[[blocks.learners]]
name = "IQL"
label = "[/b] $x$ \\u001b[31m"
env_steps = 64
"""
AGENT = """
class Broken:
    def begin(self, seat, episodes, rng): pass
    def act(self, observation): raise ValueError("[/b] half a character: \\ud800 \\x1b[31m")
"""


def test_a_study_with_an_odd_label_and_an_odd_error_runs_to_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.toml").write_text(STUDY)
    (tmp_path / "odd_agents.py").write_text(AGENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    done = CliRunner().invoke(app, ["run", "odd.toml", "--out", "out", "--workers", "0"], env={"COLUMNS": "200"})
    assert done.exit_code == 1, done.output
    assert "[/b] $x$ \u241b[31m" in done.output
    assert not UNWANTED.search(done.output)
    errors = [row["error"] for row in load_corpus("out").runs.arrow.to_pylist() if row["status"] == "failed"]
    assert errors
    assert all(r"half a character: \ud800" in error for error in errors)
    assert not UNWANTED.search((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.slow)])
def test_output_that_cannot_be_encoded_is_spelled(encoding: str, tmp_path: Path) -> None:
    shown = _printed(["games", "GiftExchange-v1"], encoding)
    assert "lambda_plus" in shown
    refused = _printed(["data", "show", "nowhere-\u4e2d"], encoding)
    assert r"nowhere-\u4e2d" in refused


def _printed(arguments: list[str], encoding: str) -> str:
    program = f"import sys; from coopgym.benchmarks.cli.main import main; sys.argv[1:] = {arguments!a}; main()"
    environment = {"PYTHONIOENCODING": encoding, "PYTHONPATH": ":".join(sys.path), "COLUMNS": "100"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment, check=False)
    output = (done.stdout + done.stderr).decode(encoding)
    assert "Traceback" not in output, output
    return output


def _codes() -> Iterator[int]:
    yield from (*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x202E, 0x2066, 0x2028, 0xFEFF, 0xD800, 0xDFFF, 0xFFFF)


def test_what_is_shown_can_be_written_and_is_shown_only_once() -> None:
    text = "".join(map(chr, _codes()))
    shown = visible(text)
    assert shown.encode().decode() == shown
    assert visible(shown) == shown
    assert [each for each in shown if not each.isprintable()] == ["\t", "\n"]
    assert visible("Émile ≤ 中文 🤖") == "Émile ≤ 中文 🤖"
