"""The documentation's table of what learners reach of the best constant.

``python -m benchmarks.team_table team-v0 docs/learners.md`` writes it from a corpus of the study `team-learners`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from benchmarks.learner_table import with_table
from coopgym.corpus.reader import Corpus, load_corpus

KIND = "shares of the best constant"
YARDSTICK = "Constant_50"
"""A learner that everybody's playing half of the endowment beats has not learned."""


def team_table(corpus: Corpus) -> str:
    """Return the table in Markdown: integrated returns in % of the best constant's, one number per seed.

    Learners stand in the order of their names, below the constant of 50 %.
    """
    columns = ["environment", "algorithm", "algorithm_kind", "seed", "return_integrated"]
    runs = sorted(corpus.read("runs", columns).arrow.to_pylist(), key=lambda run: (run["algorithm"], run["seed"]))
    best: dict[str, float] = {}
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        game, reached = run["environment"], run["return_integrated"]
        if run["algorithm_kind"] == "constant":
            best[game] = max(reached, best.get(game, reached))
        if run["algorithm_kind"] == "learner" or run["algorithm"] == YARDSTICK:
            found[run["algorithm"].removesuffix("-team")][game].append(reached)
    games = sorted(best)
    rows = [
        f"| learner | {' | '.join(game.removesuffix('-v0') for game in games)} |",
        f"|{' --- |' * (1 + len(games))}",
    ]
    for name in sorted(found, key=lambda name: (name != YARDSTICK, name)):
        cells = (", ".join(f"{100 * reached / best[game]:.1f}" for reached in found[name][game]) for game in games)
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    page = Path(sys.argv[2])
    page.write_text(with_table(page.read_text(), team_table(load_corpus(sys.argv[1])), KIND))
