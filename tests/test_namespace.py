"""What a project of its own calls its folders is its own business: ours are parts of `coopgym`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PARTS = ("oracles", "algorithms", "benchmarks")
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("part", PARTS)
def test_a_folder_of_the_same_name_is_left_to_its_owner(part: str, tmp_path: Path) -> None:
    (tmp_path / part).mkdir()
    (tmp_path / part / "__init__.py").write_text("THEIRS = True\n")
    program = f"import {part}, coopgym.{part}; print({part}.THEIRS, {part} is not coopgym.{part})"
    said = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("part", PARTS)
def test_a_link_shows_each_part_where_it_is_imported_from(part: str) -> None:
    link = ROOT / "coopgym" / part
    if link.is_file():  # a checkout without links
        assert link.read_text().strip() == f"../{part}"
    else:
        assert link.resolve() == (ROOT / part).resolve()
