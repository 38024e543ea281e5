"""Speed of this machine's coopgym as ratios against well-known libraries; run with ``coopgym bench``."""

from __future__ import annotations

import datetime
import importlib
import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.perf.measure import Ratio

MEASUREMENTS = {
    "C1": "benchmarks.perf.environments:c1",
    "C2": "benchmarks.perf.environments:c2",
    "C3": "benchmarks.perf.environments:c3",
    "C4": "benchmarks.perf.environments:c4",
    "C5": "benchmarks.perf.environments:c5",
    "C7": "benchmarks.perf.environments:c7",
    "C8": "benchmarks.perf.learning:c8",
    "C9": "benchmarks.perf.learning:c9",
    "L_IPPO": "benchmarks.perf.learners:l_ippo",
    "L_ISAC": "benchmarks.perf.learners:l_isac",
    "L_MADDPG": "benchmarks.perf.learners:l_maddpg",
    "L_QMIX": "benchmarks.perf.learners:l_qmix",
    "L_IPPO6": "benchmarks.perf.learners:l_ippo6",
    "L_ISAC6": "benchmarks.perf.learners:l_isac6",
    "L_MADDPG6": "benchmarks.perf.learners:l_maddpg6",
    "L_QMIX6": "benchmarks.perf.learners:l_qmix6",
    "U_PPO": "benchmarks.perf.learners:u_ppo",
    "U_SAC": "benchmarks.perf.learners:u_sac",
    "C10": "benchmarks.perf.harness:c10",
    "C11": "benchmarks.perf.harness:c11",
    "C12": "benchmarks.perf.corpora:c12",
    "C12b": "benchmarks.perf.corpora:c12_bytes",
    "C13": "benchmarks.perf.statistics:c13",
    "C14": "benchmarks.perf.oracles:c14",
    "C16": "benchmarks.perf.startup:c16",
    "C17": "benchmarks.perf.startup:c17",
    "C18": "benchmarks.perf.language:c18",
    "C18b": "benchmarks.perf.language:c18_with_a_tool",
    "C18c": "benchmarks.perf.language:c18_replayed",
    "J2": "benchmarks.perf.environments:joint_dyad",
    "J40": "benchmarks.perf.environments:joint_apache",
    "B2": "benchmarks.perf.environments:native_dyad",
    "B2c": "benchmarks.perf.environments:compiled_dyad",
    "G2": "benchmarks.perf.device:g2",
    "G4": "benchmarks.perf.device:g4",
    "G5": "benchmarks.perf.device_learning:g5",
    "G6": "benchmarks.perf.device_learning:g6",
    "G6b": "benchmarks.perf.device_learning:g6_off_policy",
    "G7": "benchmarks.perf.device_learning:g7",
    "G8": "benchmarks.perf.device_learning:g8",
    "G10": "benchmarks.perf.device:g10",
}
"""Where each ratio is measured."""

ON_A_DEVICE = ("G2", "G4", "G5", "G6", "G6b", "G7", "G8", "G10")
"""Ratios that need a CUDA device: measured only when asked for."""


def run_all(ids: list[str] | None = None, quick: bool = False, out: Path | None = None) -> list[Ratio]:
    """Measure ratios one after the other, print them as they come and write them to a JSON file.

    Args:
        ids: which ratios; None for all that need no GPU and no learner that is missing.
        quick: fewer alternations.
        out: the file to write; None for ``perf-<date>.json`` in the current folder.

    Raises:
        ValueError: an unknown id, or a ratio that needs a GPU where there is none.
    """
    chosen = ids or [id for id in MEASUREMENTS if id not in ON_A_DEVICE]
    unknown = [id for id in chosen if id not in MEASUREMENTS]
    if unknown:
        raise ValueError(f"unknown ratios {', '.join(unknown)}; known: {', '.join(MEASUREMENTS)}")
    from benchmarks.perf.measure import MissingLearnerError

    results = []
    for id in chosen:
        try:
            result = _measurement(MEASUREMENTS[id])(quick)
        except MissingLearnerError as error:
            if ids:
                raise
            print(f"{id:9} left out: {error}", flush=True)
            continue
        print(_line(result), flush=True)
        results.append(result)
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    path = out or Path(f"perf-{today}.json")
    path.write_text(json.dumps(_document(results, today, quick), indent=1) + "\n")
    print(f"written: {path}")
    return results


def _line(result: Ratio) -> str:
    sign = "≤" if result.at_most else "≥"
    bounds = f"floor {sign} {result.floor:g}, aim {sign} {result.aim:g}"
    return f"{result.id:9} {result.title:55} {result.ratio:10.3g}  (± {result.spread:.2g}; {bounds}: {result.verdict})"


def _measurement(place: str) -> Callable[[bool], Ratio]:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _document(results: list[Ratio], today: str, quick: bool) -> dict[str, object]:
    packages = ("numpy", "gymnasium", "pettingzoo", "torch", "stable-baselines3")
    return {
        "date": today,
        "command": "coopgym bench" + (" --quick" if quick else ""),
        "machine": f"{platform.machine()} {platform.system()}, Python {platform.python_version()}",
        "versions": {package: version(package) for package in packages},
        "ratios": [result.record() for result in results],
    }
