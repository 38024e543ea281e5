"""Statistics of a corpus: scores between anchors, intervals over seeds, comparisons and rankings.

Everything starts from the ``runs`` table of a corpus and ends in frozen records. Seeds are the unit of replication:
episodes were averaged within their run.
"""

from benchmarks.analysis.aggregates import (
    STATISTICS,
    Aggregate,
    aggregate,
    interquartile_mean,
    mean,
    median,
    optimality_gap,
)
from benchmarks.analysis.anchors import Anchors, Scale
from benchmarks.analysis.bootstrap import Bootstrap, Statistic, estimate, estimates, resampled, resampled_counts
from benchmarks.analysis.contribution import (
    Contribution,
    ContributionSummary,
    contributions,
    summarise_contributions,
)
from benchmarks.analysis.crossover import (
    CENTRALISED,
    INDEPENDENT,
    Crossover,
    ParadigmGap,
    paradigm_crossovers,
)
from benchmarks.analysis.distribution import Distribution, distributions, jain_index, payoff_spread, worst_off
from benchmarks.analysis.estimates import Estimate, mean_estimate
from benchmarks.analysis.grid import Entrant, RunGrid, Task, run_grid, self_play
from benchmarks.analysis.improvement import Improvement, improvements, probability_of_improvement
from benchmarks.analysis.letters import compact_letters
from benchmarks.analysis.noise import NoiseFloor, noise_floors
from benchmarks.analysis.oracle_gaps import Gap, exceedances, oracle_gaps
from benchmarks.analysis.paired import Comparison, PairedTest, compare, comparisons, holm, paired_test
from benchmarks.analysis.profiles import THRESHOLDS, Profile, profiles
from benchmarks.analysis.ranks import RankRow, RankTable, class_rankings, rank_table
from benchmarks.analysis.replicates import Replicates
from benchmarks.analysis.scenarios import CrossPlay, ScenarioScore, cross_play, scenario_scores
from benchmarks.analysis.scores import LANDMARKS, YARDSTICKS, ScoreTable, both_tables, score_table
from benchmarks.analysis.stability import Censoring, Instability, censoring, instabilities, instability

__all__ = [
    "CENTRALISED",
    "INDEPENDENT",
    "LANDMARKS",
    "STATISTICS",
    "THRESHOLDS",
    "YARDSTICKS",
    "Aggregate",
    "Anchors",
    "Bootstrap",
    "Censoring",
    "Comparison",
    "Contribution",
    "ContributionSummary",
    "CrossPlay",
    "Crossover",
    "Distribution",
    "Entrant",
    "Estimate",
    "Gap",
    "Improvement",
    "Instability",
    "NoiseFloor",
    "PairedTest",
    "ParadigmGap",
    "Profile",
    "RankRow",
    "RankTable",
    "Replicates",
    "RunGrid",
    "Scale",
    "ScenarioScore",
    "ScoreTable",
    "Statistic",
    "Task",
    "aggregate",
    "both_tables",
    "censoring",
    "class_rankings",
    "compact_letters",
    "compare",
    "comparisons",
    "contributions",
    "cross_play",
    "distributions",
    "estimate",
    "estimates",
    "exceedances",
    "holm",
    "improvements",
    "instabilities",
    "instability",
    "interquartile_mean",
    "jain_index",
    "mean",
    "mean_estimate",
    "median",
    "noise_floors",
    "optimality_gap",
    "oracle_gaps",
    "paired_test",
    "paradigm_crossovers",
    "payoff_spread",
    "probability_of_improvement",
    "profiles",
    "rank_table",
    "resampled",
    "resampled_counts",
    "run_grid",
    "scenario_scores",
    "score_table",
    "self_play",
    "summarise_contributions",
    "worst_off",
]
