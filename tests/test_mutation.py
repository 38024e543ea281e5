"""Every small mistake that the tests are said to catch can still be made."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutation import ROOT, Mutant, mutants

MUTANTS = mutants()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_mistake_can_be_made(mutant: Mutant) -> None:
    spoiled = ast.dump(ast.parse(mutant.source(ROOT)))
    assert spoiled != ast.dump(ast.parse((ROOT / mutant.file).read_text(encoding="utf-8")))
    assert [path for path in mutant.tests if not (ROOT / path).exists()] == []


def test_there_are_thirty_with_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 30


def test_code_that_moved_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("a - b\na - b\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"'a - b' occurs 2 times in module\.py, not once"):
        Mutant("twice", "module.py", "a - b", "a + b", ()).source(tmp_path)
