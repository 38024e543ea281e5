"""What the built-in language model learns, from a corpus of the study `llm-quick`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from coopgym.algorithms.llm.method.registry import methods
from coopgym.benchmarks.documentation.sources import LANGUAGE, Run, chosen, hours, runs
from coopgym.benchmarks.documentation.wording import between, in_brackets, listed, over_seeds, paragraph, short, table
from coopgym.benchmarks.score.estimates import score_text
from coopgym.corpus.released import released_corpora

RANDOM, UNTRAINED = "Random", "LLM-warm_up"


def study() -> str:
    """Say what the study consists of and what scores are."""
    trained = [run for run in _models() if run.algorithm != UNTRAINED]
    steps, seeds = sorted({run.env_steps or 0 for run in trained}), {run.seed for run in trained}
    return paragraph(f"""
        `coopgym run llm-quick` trains the built-in model in {len(_games())} games under the cooperative reward:
        {between(steps, 0)} decisions per method, game and seed; its corpus, with every transcript, is released as
        `{LANGUAGE}`, and took {hours(_models())} of computing by its own clocks. Scores lie between Random (0) and the
        best constant of the study (1), which knows steps of a quarter of the endowment only: means over
        {len(seeds)} seeds, in brackets {in_brackets(len(seeds))}.
    """)


def sampled_table() -> str:
    """Return scores of messages that are drawn as in training."""
    return _scores_table(_sampled)


def likeliest_table() -> str:
    """Return scores of the likeliest messages."""
    return _scores_table(lambda run: run.return_mode)


def above_the_untrained() -> str:
    """List the methods that lie above the model before training in every seed."""
    below = [
        f"{_title(name)} in {short(game)}"
        for game in _games()
        for name in _trained()
        if not _above(_scores(game, _sampled), name)
    ]
    return paragraph(f"""
        Every seed of every method scores above every seed of the model before training, in every game. Exceptions:
        {listed(below)}.
    """)


def coverage() -> str:
    """Say how many of the methods the corpus holds."""
    held = {name.removeprefix("LLM-") for name in _trained()}
    known = [each["name"] for each in methods()]
    complete = [name for name in released_corpora() if name.startswith("llm-methods")]
    return paragraph(f"""
        The corpus holds {len(held & set(known))} of the {len(known)} methods. Released corpora of `llm-methods`, which
        trains all of them: {listed(complete)}.
    """)


def method_count() -> str:
    """Say how many methods there are to choose from."""
    return paragraph(f"""
        {len(methods())} methods (baselines and published ones for credit assignment in tool-use dialogues) are
        compositions of small pieces, chosen by name: [docs/language-training.md](docs/language-training.md). The text
        interface is described in [docs/text-interface.md](docs/text-interface.md), endpoints and adapters for TRL and
        verifiers in [docs/language-agents.md](docs/language-agents.md).
    """)


def _games() -> list[str]:
    return list(dict.fromkeys(run.environment for run in runs(LANGUAGE)))


def _models() -> list[Run]:
    return chosen(runs(LANGUAGE), algorithm_kind="learner")


def _trained() -> list[str]:
    return [name for name in dict.fromkeys(run.algorithm for run in _models()) if name != UNTRAINED]


def _sampled(run: Run) -> float:
    """A model's return with drawn messages; scripted agents have one return only."""
    return run.return_mode if run.sto_return_mode is None else run.sto_return_mode


def _scores(game: str, measure: Callable[[Run], float]) -> dict[str, list[float]]:
    """Scores per seed of the random agent, of the model before training and of every method."""
    here = chosen(runs(LANGUAGE), environment=game)
    floor = fmean(measure(run) for run in chosen(here, algorithm=RANDOM))
    ceiling = max(measure(run) for run in chosen(here, algorithm_kind="constant"))
    return {
        name: [(measure(run) - floor) / (ceiling - floor) for run in chosen(here, algorithm=name)]
        for name in (RANDOM, UNTRAINED, *_trained())
    }


def _above(scores: dict[str, list[float]], name: str) -> bool:
    return min(scores[name]) > max(scores[UNTRAINED])


def _scores_table(measure: Callable[[Run], float]) -> str:
    found = {game: _scores(game, measure) for game in _games()}
    rows = ((_title(name), *(_cell(found[game][name]) for game in found)) for name in (RANDOM, UNTRAINED, *_trained()))
    return table(("agent", *found), rows)


def _title(name: str) -> str:
    if name == UNTRAINED:
        return "before training"
    return name if name == RANDOM else f"`{name.removeprefix('LLM-')}`"


def _cell(scores: Sequence[float]) -> str:
    return over_seeds(scores, score_text)
