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


def test_names_from_before_are_found_unless_a_project_has_its_own(tmp_path: Path) -> None:
    program = "from coopgym.agents import make_agent; print(type(make_agent('oracles.agents:Nash')).__module__)"
    nobody, owner = tmp_path / "nobody", tmp_path / "owner"
    nobody.mkdir()
    (owner / "oracles").mkdir(parents=True)
    (owner / "oracles" / "__init__.py").touch()
    (owner / "oracles" / "agents.py").write_text("from coopgym.oracles.agents import Nash as N\nclass Nash(N): pass\n")
    said = [
        subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True).stdout
        for folder in (nobody, owner)
    ]
    assert said[0].startswith("coopgym.oracles.agents")
    assert said[1].strip() == "oracles.agents"


@pytest.mark.parametrize("part", PARTS)
def test_a_link_shows_each_part_where_it_is_imported_from(part: str) -> None:
    link = ROOT / "coopgym" / part
    if link.is_file():  # a checkout without links
        assert link.read_text().strip() == f"../{part}"
    else:
        assert link.resolve() == (ROOT / part).resolve()
