"""Four hundred corrupted corpora: what was changed is told, what can be read is what was there, nothing hangs."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.cli.main import app
from coopgym.corpus import TABLES, CorpusError, load_corpus
from tests.fuzz.mutations import spoil

COUNT, BATCHES = 400, 8
KEPT = Path(__file__).parents[1] / "data" / "corpora"
SOURCES = ("schema-1.2", "schema-1.3")
"""A released corpus and a folder of runs with manifests."""
UNGUARDED = ("study.json", "DATASHEET.md", "manifests", "croissant.json", "policies")
"""What no checksum protects: descriptions, which themselves say what is wrong with them if anything, and policies,
which are checked when they are loaded."""


def content(folder: Path) -> dict[str, pa.Table]:
    corpus = load_corpus(folder)
    return {name: corpus.read(name).arrow for name in TABLES}


@pytest.fixture(scope="module", params=SOURCES)
def source(request: pytest.FixtureRequest) -> tuple[Path, dict[str, pa.Table]]:
    folder = KEPT / request.param
    return folder, content(folder)


def read(folder: Path) -> dict[str, pa.Table] | str:
    """The tables, or what is said instead of them; jobs that were killed are warned of, and told by verify."""
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            return content(folder)
    except CorpusError as error:
        return str(error)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_what_is_read_from_a_corrupted_corpus_is_what_was_there(
    batch: int, source: tuple[Path, dict[str, pa.Table]], tmp_path: Path
) -> None:
    origin, whole = source
    for number in range(COUNT // BATCHES // len(SOURCES)):
        folder = tmp_path / str(number)
        shutil.copytree(origin, folder)
        done = spoil(folder, Random(10_000 * batch + number))
        found = read(folder)
        result = CliRunner().invoke(app, ["data", "verify", str(folder)])
        assert result.exit_code in (0, 1, 2), (done, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), (done, repr(result.exception))
        assert "Traceback" not in result.output, done
        if isinstance(found, str):
            assert len(found) < 1_000, done
            assert result.exit_code, f"{done}: verify finds nothing, but reading says: {found}"
        elif result.exit_code == 0:
            assert done.split()[1].split("/")[0] in UNGUARDED, f"{done}: unnoticed"
            assert all(found[name].equals(whole[name]) for name in TABLES), f"{done}: other tables, and nobody noticed"
        shutil.rmtree(folder)
