"""What the kernels of language-model methods say to input they cannot use."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from coopgym.algorithms.llm.kernels import KERNELS, core, scope

SCORE = {"score": [[0.0, 1.0], [2.0, 0.0]]}


@pytest.mark.parametrize(
    ("kernel", "inputs", "message"),
    [
        ("core.group_zscore", {"x": [1, 2], "group": [0]}, "group: expected shape (2), got (1,)"),
        ("core.group_zscore", {"x": [1, np.nan], "group": [0, 0]}, "x: expected finite numbers, got [1.0, nan]"),
        ("core.group_zscore", {"x": [1, None], "group": [0, 0]}, "x: expected finite numbers"),
        ("core.group_zscore", {"x": ["a"], "group": [0]}, "x: expected numbers in rows of equal length, got ['a']"),
        ("core.group_zscore", {"x": [1], "group": [[0]]}, "group: expected hashable values other than NaN, got [0]"),
        ("core.group_zscore", {"x": [1], "group": [np.nan]}, "group: expected hashable values other than NaN, got nan"),
        (
            "core.group_zscore",
            {"x": [1], "group": [0], "singleton": "one"},
            "singleton='one': expected 'zero' or 'raw'",
        ),
        ("core.group_zscore", {"x": [1], "group": [0], "eps": -1.0}, "eps: expected numbers in [0, inf], got -1"),
        ("core.broadcast", {"turn_adv": [1, 2], "spans": [[0, 3], [2, 4]], "length": 4}, "without overlap"),
        (
            "core.broadcast",
            {"turn_adv": [1], "spans": [[0, 3]], "length": 2},
            "spans: expected numbers in [0, 2], got 3",
        ),
        ("core.broadcast", {"turn_adv": [1], "spans": [[0, 1.5]], "length": 2}, "spans: expected whole numbers"),
        ("igpo.turn_rewards", {"belief_logp": [[-1], []], "outcome": [1, 0]}, "belief_logp[1]: expected at least 1"),
        ("igpo.turn_rewards", {"belief_logp": [[-1]], "outcome": [1], "belief": "odds"}, "belief='odds': expected"),
        ("igpo.advantages", {"turn_rewards": [[1]], "group": [0], "norm": "none"}, "norm='none': expected 'separate'"),
        ("igpo.advantages", {"turn_rewards": [[np.inf]], "group": [0]}, "turn_rewards: expected finite numbers"),
        (
            "int.sft_mask",
            {"step_lens": [2], "first_error": 1, "intervention_len": 1},
            "first_error: expected numbers in",
        ),
        ("int.sft_loss", {"logp": [-1], "mask": [0]}, "mask: expected at least one token, got none"),
        ("int.keep", {"leaks_answer": [2], "successes": [1]}, "leaks_answer: expected booleans or zeros and ones"),
        (
            "matchtir.similarity",
            {"pred": {"name": "a"}, "gold": {"name": "a", "args": {}}},
            "pred: expected a call with",
        ),
        ("matchtir.assign", {"sim": [[-1.0]]}, "sim: expected numbers in [0, inf], got -1"),
        ("matchtir.assign", {"sim": [[1.0], [1.0, 2.0]]}, "sim: expected numbers in rows of equal length"),
        (
            "matchtir.assign",
            {"sim": [[1.0]], "mode": "best"},
            "mode='best': expected 'hungarian' or 'greedy' or 'sinkhorn'",
        ),
        ("matchtir.assign", {"sim": [[1.0]], "mode": "sinkhorn", "reg": 0.0}, "reg=0: expected a positive"),
        ("matchtir.turn_rewards", {"call_rewards": [[1]], "answer_turn": 1}, "answer_turn: expected numbers in [0, 0]"),
        ("p2s.path_reward", {"step_rewards": []}, "step_rewards: expected at least one step"),
        ("p2s.path_reward", {"step_rewards": [1], "clip": (1.0, -1.0)}, "clip: expected (low, high)"),
        (
            "p2s.step_rewards",
            {"cond_logp": [[1, 2]], "base_logp": [[1]], "answer_logp": 0},
            "base_logp: expected shape (1, 2)",
        ),
        (
            "prorag.advantages",
            {"outcome": [1], "step_scores": [[1]], "step_tokens": [[1, 2]], "group": [0]},
            "as long as",
        ),
        ("prorag.advantages", {"outcome": [1], "step_scores": [], "step_tokens": [], "group": [0]}, "one per outcome"),
        (
            "prorag.puct",
            {"value_sum": [], "visits": [], "prior": [], "parent_visits": 0},
            "expected at least one child",
        ),
        ("treeps.values", {"parent": [-1, 2, 0], "leaf_reward": [None, 1, 1]}, "parent: expected -1 for the root"),
        (
            "treeps.values",
            {"parent": [-1, 0], "leaf_reward": [1.0, 1.0]},
            "leaf_reward[0]=1.0: expected None, the node has",
        ),
        ("treeps.values", {"parent": [-1, 0], "leaf_reward": [None, None]}, "leaf_reward[1]=None: expected a number"),
        ("treeps.prune", {"parent": [0], "observations": [], "terminal": [False]}, "observations: expected shape (1)"),
        (
            "siop.turn_rewards",
            {"ref_logp": [[-1.0]], "alpha": [1.0], "q": 1.0},
            "ref_logp: expected at least two contexts",
        ),
        ("siop.target", {"cluster": [0], "evidence": [np.nan]}, "evidence: expected finite numbers"),
        ("spae.potential", {"acc": [1.2], "conf": [1.0]}, "acc: expected numbers in [0, 1], got 1.2"),
        ("decs.advantages", {"token_rewards": [[1.0]], "lengths": [2]}, "lengths: expected at most the width 1, got 2"),
        ("decs.mix", {"n_mixed": 1.5, "n_all_correct": 1, "kappa": 0.5}, "n_mixed=1.5: expected a whole number"),
        ("bnpo.advantages", {"reward": [2.0], "group": [0]}, "reward: expected numbers in [0, 1], got 2"),
        ("bnpo.advantages", {"reward": [1], "group": [0], "r_min": 1.0}, "expected r_min below r_max"),
        ("bnpo.advantages", {"reward": [1], "group": [0], "max_weight": 0.0}, "max_weight=0: expected a positive cap"),
        ("bnpo.decomposed", {"rewards": [], "group": [], "ranges": []}, "rewards: expected at least one reward"),
        ("h1.compose", {"tasks": [], "adapters": [], "x": 1.0}, "tasks: expected at least one, got none"),
        (
            "h1.compose",
            {"tasks": [{"slope": 1.0}], "adapters": [], "x": 1.0},
            "tasks[0]: expected intercept, slope, lo, hi",
        ),
        ("ppr.renorm", {"process": [1.5], "outcome": 1.0}, "process: expected numbers in [0, 1], got 1.5"),
        (
            "scope.select",
            {"first_error": [4], "n_steps": [4], "correct": [False]},
            "first_error: expected indices below",
        ),
        ("obe.historical", {"counts": [-1]}, "counts: expected numbers in [0, inf], got -1"),
        ("obe.historical", {"counts": [1], "mode": "sum"}, "mode='sum': expected 'naive' or 'mean' or 'con'"),
        ("arena.rank_advantage", {"order": [0, 0]}, "order: expected each rollout from 0 to 1 once, got [0, 0]"),
        ("arena.anchor", {"score": [[1.0, 2.0]]}, "score: expected a square matrix"),
        ("arena.single_elimination", SCORE | {"byes": "none"}, "byes='none': expected 'proper' or 'compact'"),
        ("vstar.td", {"values": [], "rewards": []}, "values: expected at least one depth"),
        ("gtalign.welfare", {"utilities": []}, "utilities: expected at least one party"),
        ("gtalign.nash_choice", {"matrix": {}}, "matrix: expected at least one cell"),
        ("gtalign.payoff_quality", {"matrix": {"CC": {"user": 1.0}}}, "matrix['CC']: expected payoffs of user and LLM"),
        ("gtalign.payoff_calibration", {"estimate": [], "truth": []}, "truth: expected at least one payoff"),
    ],
)
def test_wrong_input_is_refused_with_what_was_expected(kernel: str, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        KERNELS[kernel](**inputs)


TABLES = {"logp": [[-1.0]], "logp_old": [[-1.0]], "mask": [[1]]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mask": [[0]]}, "mask: expected at least one token, got none"),
        ({"agg": "mean"}, "agg='mean': expected 'token_mean'"),
        ({"agg": "seq_sum_const"}, "norm_len=None: expected a length"),
        ({"adv": [1.0]}, "adv: expected shape (1, 1), got (1,)"),
        ({"eps_low": 2.0}, "eps_low: expected numbers in [0, 1], got 2"),
        ({"dual_clip": 0.5}, "dual_clip: expected numbers in [1, inf], got 0.5"),
    ],
)
def test_losses_refuse_what_they_cannot_average(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        core.clip_loss(**{**TABLES, "adv": [[1.0]], **changed})


def test_shaping_of_helper_tokens_must_be_positive() -> None:
    with pytest.raises(ValueError, match="gamma=0: expected a positive shaping"):
        scope.loss(**TABLES, adv=[1.0], off_policy=[[1]], gamma=0.0)
