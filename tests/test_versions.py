"""Results change only with the version that runs are known by."""

from __future__ import annotations

import dataclasses
import json
from functools import cache

import pytest

from coopgym.agents.heuristics import TitForTat
from tests.recorded_versions import FILE, Entry, entries, fingerprint, mismatch

RECORDED = json.loads(FILE.read_text(encoding="utf-8"))

known = cache(entries)


def test_everything_that_has_a_version_is_recorded() -> None:
    assert sorted(known()) == sorted(RECORDED), "run: python -m tests.recorded_versions"


@pytest.mark.parametrize("name", RECORDED)
def test_results_are_those_of_the_version(name: str) -> None:
    if name.startswith("learner SB3"):
        pytest.importorskip("stable_baselines3")
    assert not mismatch(known()[name], RECORDED[name])


def test_results_that_change_ask_for_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "agent TitForTat"
    monkeypatch.setattr(TitForTat.__init__, "__defaults__", (0.501, "mean"))
    changed = known()[name]
    assert "raise its `version`" in str(mismatch(changed, RECORDED[name]))
    raised = dataclasses.replace(changed, version=2)
    assert mismatch(raised, RECORDED[name]) == "version 2 has not been recorded; run: python -m tests.recorded_versions"
    anew = {"version": 2, "among": dict(raised.among), "sums": fingerprint(raised.trial())}
    assert mismatch(raised, anew) is None


def test_what_is_tried_in_a_game_is_recorded_anew_with_it() -> None:
    entry: Entry = known()["agent TitForTat"]
    moved = dataclasses.replace(entry, among=dict.fromkeys(entry.among, 2))
    assert "recorded among" in str(mismatch(moved, RECORDED["agent TitForTat"]))
