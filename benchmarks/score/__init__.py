"""Statistics of a corpus: scores between anchors, intervals over seeds, comparisons and rankings.

Everything starts from the ``runs`` table of a corpus and ends in frozen records. Seeds are the unit of replication:
episodes were averaged within their run.
"""

from coopgym.benchmarks.score.anchors import Anchors, Scale
from coopgym.benchmarks.score.bootstrap import (
    Bootstrap,
    Statistic,
    estimate,
    interquartile_mean,
    resampled,
    resampled_counts,
)
from coopgym.benchmarks.score.comparison_sets import (
    ComparisonSet,
    Ranking,
    all_rankings,
    comparison_sets,
    principal,
    private_comparison_sets,
    rankings,
)
from coopgym.benchmarks.score.contribution import (
    Contribution,
    ContributionSummary,
    contributions,
    summarise_contributions,
)
from coopgym.benchmarks.score.crossover import (
    CENTRALISED,
    INDEPENDENT,
    Crossover,
    ParadigmGap,
    paradigm_crossovers,
)
from coopgym.benchmarks.score.csv_files import cells_csv, first_table_csv, rankings_csv
from coopgym.benchmarks.score.distribution import Distribution, distributions, jain_index, payoff_spread, worst_off
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.benchmarks.score.exploited import exploitability_table
from coopgym.benchmarks.score.failures import Failure, failures
from coopgym.benchmarks.score.first_table import FirstRow, FirstTable, Question, first_table
from coopgym.benchmarks.score.grid import Algorithm, RunGrid, Task, run_grid, self_play
from coopgym.benchmarks.score.improvement import Improvement, improvements, probability_of_improvement
from coopgym.benchmarks.score.leaderboards import Leaderboard, Leaderboards
from coopgym.benchmarks.score.noise import NoiseFloor, noise_floors
from coopgym.benchmarks.score.oracle_gaps import Gap, exceedances, oracle_gaps
from coopgym.benchmarks.score.paired import Comparison, PairedTest, compare, comparisons, holm, paired_test
from coopgym.benchmarks.score.partner_training import gains_of_partners
from coopgym.benchmarks.score.pooling import Pool, Source, pool
from coopgym.benchmarks.score.profiles import THRESHOLDS, Profile, profiles
from coopgym.benchmarks.score.ranks import RankRow, RankTable, rank_table
from coopgym.benchmarks.score.replicates import Replicates
from coopgym.benchmarks.score.scenarios import CrossPlay, ScenarioScore, cross_play, scenario_scores
from coopgym.benchmarks.score.scores import METRICS, REFERENCES, ScoreTable, both_tables, score_table
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.benchmarks.score.settings import Setting, mode_order
from coopgym.benchmarks.score.significance_groups import compact_letters
from coopgym.benchmarks.score.stability import Censoring, Instability, censoring, instabilities, instability
from coopgym.benchmarks.score.stranger_scores import KindResult, StrangersScores, WorstPartner, strangers_table
from coopgym.benchmarks.score.worlds import WorldBoard, WorldRanking, WorldScores

__all__ = [
    "CENTRALISED",
    "INDEPENDENT",
    "METRICS",
    "REFERENCES",
    "THRESHOLDS",
    "Algorithm",
    "Anchors",
    "Bootstrap",
    "Censoring",
    "Comparison",
    "ComparisonSet",
    "Contribution",
    "ContributionSummary",
    "CrossPlay",
    "Crossover",
    "Distribution",
    "Estimate",
    "Failure",
    "FirstRow",
    "FirstTable",
    "Gap",
    "Improvement",
    "Instability",
    "KindResult",
    "Leaderboard",
    "Leaderboards",
    "NoiseFloor",
    "PairedTest",
    "ParadigmGap",
    "Pool",
    "Profile",
    "Question",
    "RankRow",
    "RankTable",
    "Ranking",
    "Replicates",
    "RunGrid",
    "Scale",
    "ScenarioScore",
    "ScoreTable",
    "SeedScores",
    "Setting",
    "Source",
    "Statistic",
    "StrangersScores",
    "Task",
    "WorldBoard",
    "WorldRanking",
    "WorldScores",
    "WorstPartner",
    "all_rankings",
    "both_tables",
    "cells_csv",
    "censoring",
    "compact_letters",
    "compare",
    "comparison_sets",
    "comparisons",
    "contributions",
    "cross_play",
    "distributions",
    "estimate",
    "exceedances",
    "exploitability_table",
    "failures",
    "first_table",
    "first_table_csv",
    "gains_of_partners",
    "holm",
    "improvements",
    "instabilities",
    "instability",
    "interquartile_mean",
    "jain_index",
    "mean_estimate",
    "mode_order",
    "noise_floors",
    "oracle_gaps",
    "paired_test",
    "paradigm_crossovers",
    "payoff_spread",
    "pool",
    "principal",
    "private_comparison_sets",
    "probability_of_improvement",
    "profiles",
    "rank_table",
    "rankings",
    "rankings_csv",
    "resampled",
    "resampled_counts",
    "run_grid",
    "scenario_scores",
    "score_table",
    "self_play",
    "strangers_table",
    "summarise_contributions",
    "worst_off",
]
