"""A corpus of language models for the tests of the report: methods that learn, with curves and transcripts."""

from __future__ import annotations

import json
from collections.abc import Iterator

from coopgym.corpus.schema import TableName
from tests.benchmarks.report_corpora import SEEDS, Row, played, scripted

METHODS = {"grpo": 100.0, "igpo": 150.0, "bnpo": 60.0}
"""Tokens of a batch; the more a method spends, the fewer tokens it needs for the same progress here."""
BATCHES = 12
HOSTILE = '<script>alert("said")</script>\n\n</pre>&amp;\x00\u202e'


def entered(method: str, seed: int, value: float, outcome: str = "graded", **facts: object) -> Row:
    """A run of a language model."""
    settings = json.dumps({"method": method, "outcome": outcome})
    name = f"LLM-{method}"
    given = {"run_id": f"{name}/{outcome}/{seed}", "objective": "individual"} | facts
    return played(name, value, seed=seed, hyperparameters=settings, **given)


def course(run_id: str, tokens: float, seed: int, batches: int = BATCHES) -> Iterator[Row]:
    """Curves of a run whose outcome grows from 0.2 by what a batch costs, one number a batch."""
    for batch in range(batches):
        values = {
            "outcome": 0.2 + 0.00004 * tokens * batch + 0.01 * seed,
            "tokens": tokens * (batch + 1),
            "welfare": 3.0 + batch / 10,
            "answered": 0.5 + batch / 40,
            "calls_valid": 0.75,
            "flat_groups": 0.25,
            "distinct_answers": 2.5,
            "turns_per_decision": 2.0,
            "tokens_per_decision": 20.0,
        } | ({"oracle_gap": 0.4 - batch / 50} if batch else {})
        yield from (
            {"run_id": run_id, "step": 16 * (batch + 1), "metric": metric, "value": value}
            for metric, value in values.items()
        )


def said(
    run_id: str, episode: int, seat: int, t: int, text: str, tool: str | None = "submit", level: float | None = 50.0
) -> list[Row]:
    """A decision of two messages of the model, of which the first is illegal and the second ``text``."""
    rows: list[Row] = [
        {"role": "user", "content": f"round {t}\n\nyour move"},
        {"role": "assistant", "content": "payoff .5", "tool": "payoff", "valid": False},
        {"role": "tool", "content": "!payoff(own, partner) takes 2 arguments, got 1", "tool": "payoff"},
        {"role": "assistant", "content": text, "tool": tool, "valid": level is not None, "action": level},
    ]
    place: Row = {"run_id": run_id, "episode": episode, "seat": seat, "t": t}
    blank: Row = dict.fromkeys(("tool", "valid", "action", "prompt_tokens", "completion_tokens"))
    costs: Row = {"prompt_tokens": 60, "completion_tokens": 10, "paid_tokens": 70 * (episode == 0), "cost": 0.5}
    costs["finish"] = "length" if episode == 1 else "stop"
    return [
        blank | place | {"turn": 4 * t + i} | (costs if row["role"] == "assistant" else {}) | row
        for i, row in enumerate(rows)
    ]


def spoken() -> dict[TableName, list[Row]]:
    """Rows of a corpus in which language models learn and speak; without a level in every second decision of seat 1."""
    runs = [row for row in scripted() if row["environment"] == "TrustDilemma-v1" and row["reward_mode"] == "private"]
    curves, turns = list[Row](), list[Row]()
    for seed in SEEDS:
        runs.append(entered("warm_up", seed, 14.0 + 0.1 * seed))
        for number, (method, tokens) in enumerate(METHODS.items()):
            runs.append(row := entered(method, seed, 18.0 + number + 0.1 * seed))
            curves += course(row["run_id"], tokens, seed)
    for row in runs:
        if row["algorithm"].startswith("LLM"):
            turns += [
                message
                for episode in range(3)
                for seat in range(2)
                for t in range(6)
                for message in said(
                    row["run_id"],
                    episode,
                    seat,
                    t,
                    HOSTILE if t else "submit .5",
                    level=None if seat and t % 2 else 50.0,
                )
            ]
    return {"runs": runs, "curves": curves, "turns": turns}
