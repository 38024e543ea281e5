"""Every block of the documentation by the name in its mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from coopgym.benchmarks.documentation import (
    annotated_rewards,
    bandits,
    case_studies,
    catalogue,
    certificates,
    commitments,
    language,
    learned_rewards,
    learners,
    policy_regrets,
    reward_design,
    reward_distances,
    reward_reading,
    reward_study,
    scores,
    speeds,
    stranger_runs,
    strangers,
    teams,
    tournaments,
    world_runs,
    worlds,
)
from coopgym.benchmarks.documentation.wording import paragraph
from coopgym.corpus.standard import describe_columns


def learners_and_teams() -> str:
    """Say what learners reach, for the README."""
    return paragraph(f"""
        {learners.in_a_team()} {teams.worst_and_best()}
        [docs/learners.md](docs/learners.md) lists them with their papers and with what has been measured.
    """)


BLOCKS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "annotated rewards: learned from": annotated_rewards.learned_from,
        "annotated rewards: the study": annotated_rewards.study,
        "bandits: among reactive partners": bandits.among_reactive,
        "bandits: beside bounds": bandits.beside_bounds,
        "case studies: what is said and not shown": case_studies.discrepancies,
        "case studies: experiments": case_studies.experiments_table,
        "case studies: histories replayed": case_studies.replays_table,
        "case studies: points": case_studies.scores_table,
        "case studies: points beside them": case_studies.comparisons_table,
        "certified dilemmas": certificates.dilemmas,
        "commitment equilibria": commitments.commitment_table,
        "columns of a corpus": describe_columns,
        "language: above the untrained model": language.above_the_untrained,
        "language: likeliest messages": language.likeliest_table,
        "language: methods in the corpus": language.coverage,
        "language: number of methods": language.method_count,
        "language: sampled messages": language.sampled_table,
        "language: the study": language.study,
        "learned rewards: learned from": learned_rewards.learned_from,
        "learned rewards: recovered": learned_rewards.recovered,
        "learned rewards: the study": learned_rewards.study,
        "learners and teams": learners_and_teams,
        "learners: the study": learners.study,
        "learners: the columns of all games": learners.everywhere_caption,
        "learners: all games": learners.everywhere_table,
        "learners: private equilibria": learners.equilibria_and_private_learners,
        "learners: the best constant": learners.cooperative_learners,
        "learners: the columns of all learners": learners.compared_caption,
        "learners: all learners": learners.compared_table,
        "number of oracles": catalogue.oracles,
        "policy regret": policy_regrets.caption,
        "policy regret: the table": policy_regrets.regret_table,
        "published oracles": catalogue.published_oracles,
        "reward design: in games": reward_design.in_games,
        "reward design: on the chain": reward_design.on_the_chain,
        "rewards: learned under transforms": reward_study.learned_under_transforms,
        "rewards: the mutuality axis": reward_distances.axis_table,
        "rewards: the columns of the mutuality axis": reward_distances.axis_caption,
        "rewards: distance and regret": reward_distances.regret,
        "rewards: distance and regret, by measure": reward_distances.regret_table,
        "rewards: pairs that are ranked wrongly": reward_distances.telling_table,
        "rewards: what shaping saves": reward_distances.shaping,
        "rewards: what shaping saves, by level": reward_distances.shaping_table,
        "rewards: farming trust": reward_reading.farming,
        "rewards: farming trust, by mechanism": reward_reading.farming_table,
        "rewards: which reward is read": reward_reading.reading,
        "rewards: which reward is read, by game": reward_reading.reading_table,
        "rewards: learning from the reward inside": reward_reading.learning,
        "rewards: learning from the reward inside, by policy": reward_reading.learning_table,
        "scores: coverage": scores.coverage_table,
        "speed of batches": speeds.batches,
        "speed of many seats": speeds.many_seats_table,
        "speed of many seats: the columns": speeds.many_seats_caption,
        "speed of decisions in text": speeds.text_decisions,
        "speed of gradient updates": speeds.gradient_updates,
        "speed of replay": speeds.replay,
        "speed of worlds": speeds.worlds,
        "strangers: the partners": strangers.partners_table,
        "strangers: what has been valued": strangers.valued_table,
        "table of games": catalogue.games_table,
        "table of learners": catalogue.learners_table,
        "table of methods": catalogue.methods_table,
        "table of renamed settings": catalogue.settings_table,
        "teams: beside the best constant": teams.beside_the_best_constant,
        "teams: shares of the best constant": teams.shares_table,
        "teams: the lowest": teams.extremes,
        "teams: the study": teams.study,
        "strangers: what agents reach": stranger_runs.reached,
        "strangers: what agents reach, by agent": stranger_runs.reached_table,
        "strangers: what training with partners brings": stranger_runs.trained,
        "strangers: who is found out": stranger_runs.identified,
        "tournaments: the worked example": tournaments.worked_example,
        "worlds: all games": worlds.worlds_table,
        "worlds: admission": worlds.admitted,
        "worlds: what agents reach": world_runs.reached,
        "worlds: what agents reach, by game": world_runs.reached_table,
    }
)
