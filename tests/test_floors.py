"""What floors say of a check that fails: an hour of tests must not be run again to learn which did."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.floors import Check, holds

SAID = "..F\nFAILED tests/test_a.py::test_b[c] - assert 1 == 2\nERROR tests/test_d.py\n1 failed, 2 passed, 1 error"


def test_failing_tests_are_named(tmp_path: Path) -> None:
    said = holds(_saying(SAID, 1), Path(sys.executable).parent, tmp_path)

    assert said.splitlines()[0] == "FAILED, exit code 1: 1 failed, 2 passed, 1 error"
    assert "FAILED tests/test_a.py::test_b[c]" in said
    assert "ERROR tests/test_d.py" in said


def test_a_check_that_fails_in_silence_tells_its_exit_code(tmp_path: Path) -> None:
    assert holds(_saying("", 3), Path(sys.executable).parent, tmp_path) == "FAILED, exit code 3: "


def _saying(text: str, code: int) -> Check:
    return Check("tests", ("python", "-c", f"print({text!r}); raise SystemExit({code})"))
