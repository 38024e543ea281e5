"""Three thousand damaged studies: each can be run, or is refused in a few short sentences."""

from __future__ import annotations

import tomllib
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.study import expand, group
from coopgym.benchmarks.study.study import LONGEST_FAULT, MOST_FAULTS, STUDIES, StudyError, load_study
from tests.fuzz.mutations import damaged, mutated, toml

COUNT, BATCHES = 3_000, 30
EXPANDED = 10
"""Of this many studies that can be run one is expanded, which takes longer than reading it."""
SOURCES = sorted(STUDIES.glob("*.toml"))


def smaller(description: Any) -> Any:
    """The study with few seeds, so that a thousand of them can be expanded."""
    return {**description, "seeds": [1]}


def damaged_study(chance: Random) -> bytes:
    content = chance.choice(SOURCES).read_bytes()
    if chance.random() < 0.2:
        return damaged(content, chance)
    return toml(mutated(smaller(tomllib.loads(content.decode())), chance)).encode(errors="surrogatepass")


def refusal(path: Path, *, expanded: bool) -> str | None:
    """What is said of a study that is refused; None for one that could be run."""
    try:
        study = load_study(str(path))
    except StudyError as error:
        return str(error)
    if expanded:
        group(expand(study.model_copy(update={"seeds": study.seeds[:1]})))
    return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_studies_are_refused_in_short_sentences_or_can_be_run(batch: int, tmp_path: Path) -> None:
    path, refused = tmp_path / "study.toml", 0
    for number in range(COUNT // BATCHES):
        chance = Random(1_000 * batch + number)
        path.write_bytes(damaged_study(chance))
        said = refusal(path, expanded=number % EXPANDED == 0)
        if said is not None:
            refused += 1
            lines = said.splitlines()
            assert len(lines) <= MOST_FAULTS + 1, said
            assert all(len(line) < LONGEST_FAULT + len(str(path)) + 100 for line in lines), said
    assert refused > COUNT // BATCHES // 2, "most damage is noticed"


def test_the_command_line_ends_in_advice_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(60):
        Path("study.toml").write_bytes(damaged_study(Random(500_000 + number)))
        result = CliRunner().invoke(app, ["run", "study.toml", "--dry-run"])
        assert result.exit_code in (0, 2), (number, result.output, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
