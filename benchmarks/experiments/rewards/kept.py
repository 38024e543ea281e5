"""Results of experiments on rewards that are kept in the repository, and how they come about: part by part."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from coopgym.benchmarks.provenance import package_version
from coopgym.corpus.writer import write_atomically

Kept: TypeAlias = dict[str, Any]

RESULTS = Path(__file__).resolve().parents[2] / "results"


def keep(
    path: Path, command: str, settings: Mapping[str, Any], parts: Iterable[str], measure: Callable[[str], Any]
) -> Kept:
    """Measure what a file of results lacks, writing it after every part, and return all that it holds.

    Parts that were measured with other settings are measured again.

    Args:
        path: the file, JSON.
        command: what writes it.
        settings: of the experiment, as JSON has them.
        parts: names of what is measured.
        measure: returns a part by its name, as JSON has it.
    """
    plain = json.loads(json.dumps(settings))
    found = kept(path) if path.exists() else {}
    known = found["parts"] if found.get("settings") == plain else {}
    for part in parts:
        if part in known:
            continue
        known[part] = measure(part)
        found = {
            "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
            "command": command,
            "package_version": package_version(),
            "settings": plain,
            "parts": known,
        }
        write_atomically(path, (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())
        print(f"measured: {part}", flush=True)
    return found


def kept(path: Path) -> Kept:
    """Return what a file of results holds."""
    found: Kept = json.loads(path.read_text(encoding="utf-8"))
    return found
