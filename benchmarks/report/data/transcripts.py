"""What language models said and heard: counts for every run, and a bounded selection to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.drawing.formatting import counted, game_title, tick
from coopgym.benchmarks.report.content.blocks import Decision, EmbeddedTranscript, Message
from coopgym.benchmarks.score.settings import Setting, mode_order

MOST_RUNS, MOST_EPISODES, MOST_SEATS, MOST_DECISIONS = 32, 2, 2, 3
"""Of what is selected: runs, and for each the first so many episodes, conversing seats and decisions of an episode."""
MOST_CHARACTERS = 2_000
"""Of a message that is shown; of a longer one the beginning."""
_RUN = ("run_id", "algorithm", "environment", "env_parameters", "reward_mode", "seed", "scenario")


@dataclass(frozen=True)
class Transcript:
    """A run in which somebody converses, and how much."""

    run_id: str
    algorithm: str
    setting: Setting
    seed: int
    scenario: str | None
    decisions: int
    answered: int
    """Decisions in which a model's message led to a level; in the others the fallback is played."""
    messages: int
    """Messages that models wrote."""
    legal: int
    """Those that could be read and carried out."""
    calls: Mapping[str, int]
    """Calls by tool, the most frequent first."""
    read: int | None
    """Tokens that models read; None where nobody counted, as is ``written``."""
    written: int | None
    cut: int = 0
    """Messages that were cut off."""
    paid: int | None = None
    """Tokens that a server was asked for in this run, in both directions; the others had been answered before."""
    cost: float | None = None
    """Their price, in the currency of the prices given."""

    @property
    def title(self) -> str:
        """What tells the run from others."""
        parts = [self.algorithm, game_title(self.setting.game), self.setting.reward_mode, f"seed {self.seed}"]
        return " · ".join([*parts, *([self.scenario] if self.scenario else [])])


def evaluated(turns: pa.Table) -> pa.Table:
    """Leave out what was said in training."""
    return turns.filter(pc.not_equal(pc.fill_null(turns.column("phase"), "evaluation"), "training"))


def talks(runs: pa.Table, turns: pa.Table) -> list[Transcript]:
    """Return the runs that have transcripts, by algorithm, setting and seed."""
    facts = {row["run_id"]: row for row in runs.select(_RUN).to_pylist()}
    wrote = turns.filter(pc.equal(turns.column("role"), "assistant"))
    wrote = wrote.append_column("cut", pc.not_equal(wrote.column("finish"), "stop"))
    dialogues = turns.group_by(["run_id", "episode", "seat", "t"], use_threads=False).aggregate([])
    decided = _by_run(dialogues, [])
    counts = _by_run(
        wrote,
        [
            *(("valid", "sum"), ("action", "count"), ("prompt_tokens", "sum"), ("completion_tokens", "sum")),
            *(("cut", "sum"), ("paid_tokens", "sum"), ("cost", "sum")),
        ],
    )
    calls = _calls(wrote)
    found = []
    for run_id in decided.keys() & facts.keys():
        run, count = facts[run_id], counts.get(run_id, {})
        found.append(
            Transcript(
                run_id=run_id,
                algorithm=run["algorithm"],
                setting=Setting(run["environment"], run["env_parameters"], run["reward_mode"]),
                seed=run["seed"],
                scenario=run["scenario"],
                decisions=decided[run_id]["count_all"],
                answered=count.get("action_count", 0),
                messages=count.get("count_all", 0),
                legal=count.get("valid_sum") or 0,
                calls=dict(calls[run_id].most_common()) if run_id in calls else {},
                read=count.get("prompt_tokens_sum"),
                written=count.get("completion_tokens_sum"),
                cut=count.get("cut_sum") or 0,
                paid=count.get("paid_tokens_sum"),
                cost=count.get("cost_sum"),
            )
        )
    return sorted(found, key=_order)


def _order(talk: Transcript) -> tuple[Any, ...]:
    mode = mode_order(talk.setting.reward_mode)
    return talk.algorithm, talk.setting.game, mode, talk.scenario or "", talk.seed, talk.run_id


def _by_run(rows: pa.Table, sums: Sequence[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    grouped = rows.group_by("run_id", use_threads=False).aggregate([*sums, ([], "count_all")])
    return {row["run_id"]: row for row in grouped.to_pylist()}


def _calls(wrote: pa.Table) -> dict[str, Counter[str]]:
    """Count calls by run and tool: a message may hold several, separated by commas."""
    found: dict[str, Counter[str]] = {}
    called = wrote.filter(pc.is_valid(wrote.column("tool"))).group_by(["run_id", "tool"], use_threads=False)
    for row in called.aggregate([([], "count_all")]).to_pylist():
        for name in row["tool"].split(","):
            found.setdefault(row["run_id"], Counter())[name.strip()] += row["count_all"]
    return found


def selected(found: Sequence[Transcript]) -> list[Transcript]:
    """Choose runs to read: the first of every algorithm in every setting, as many algorithms as there is room for."""
    firsts: dict[tuple[str, Setting, str | None], Transcript] = {}
    for each in found:
        firsts.setdefault((each.algorithm, each.setting, each.scenario), each)
    by_algorithm = [list(own) for _, own in groupby(firsts.values(), key=lambda each: each.algorithm)]
    in_turn = [each for same_round in zip_longest(*by_algorithm) for each in same_round if each is not None]
    return sorted(in_turn[:MOST_RUNS], key=_order)


def embedded_transcripts(chosen: Sequence[Transcript], turns: pa.Table) -> list[EmbeddedTranscript]:
    """Return the beginnings of conversations in some runs, in their order."""
    titles = {each.run_id: each.title for each in chosen}
    early = pc.and_(
        pc.less(turns.column("episode"), MOST_EPISODES),
        pc.less(turns.column("t"), MOST_DECISIONS),
    )
    kept = turns.filter(pc.and_(early, pc.is_in(turns.column("run_id"), pa.array(titles, pa.string())))).to_pylist()
    order = {run_id: place for place, run_id in enumerate(titles)}
    kept.sort(key=lambda row: (order[row["run_id"]], row["episode"], row["seat"], row["turn"]))
    found = []
    for (run_id, episode), rows in groupby(kept, key=lambda row: (row["run_id"], row["episode"])):
        by_seat = [(seat, list(own)) for seat, own in groupby(rows, key=lambda row: row["seat"])]
        for seat, own in by_seat[:MOST_SEATS]:
            found.append(EmbeddedTranscript(titles[run_id], str(episode), str(seat), list(_decisions(own))))
    return found


def _decisions(rows: Iterable[Mapping[str, Any]]) -> Iterator[Decision]:
    for t, own in groupby(rows, key=lambda row: row["t"]):
        said = list(own)
        levels = [row["action"] for row in said if row["action"] is not None]
        outcome = f"level {tick(levels[-1])}" if levels else "no legal answer, so the fallback was played"
        wrote = [row for row in said if row["role"] == "assistant"]
        tokens = [row["completion_tokens"] for row in wrote if row["completion_tokens"] is not None]
        note = counted(len(wrote), "message") + (f", {counted(sum(tokens), 'token')} written" if tokens else "")
        yield Decision(f"Step {t}: {outcome}", note, [_message(row) for row in said])


def _message(row: Mapping[str, Any]) -> Message:
    text, length = row["content"], len(row["content"])
    notes = []
    if row["completion_tokens"] is not None:
        notes.append(f"{row['prompt_tokens'] or 0:,} tokens read, {row['completion_tokens']:,} written")
    if row["finish"] not in (None, "stop"):
        notes.append(f"cut off: {row['finish']}")
    if row["note"] is not None:
        notes.append(row["note"])
    if length > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}…"
        notes.append(f"the first {MOST_CHARACTERS:,} of {length:,} characters")
    return Message(row["role"], text, (row["tool"] or "").replace(",", ", "), row["valid"], "; ".join(notes))
