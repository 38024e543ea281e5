"""Credit: from outcomes and signals of a batch to the advantage of every token, one class per method."""

from coopgym.algorithms.llm.method.credit.batch import COPO
from coopgym.algorithms.llm.method.credit.critic import PPO, PPR
from coopgym.algorithms.llm.method.credit.exploration import OutcomeExploration
from coopgym.algorithms.llm.method.credit.outcome import (
    P2S,
    SCOPE,
    ArenaRL,
    BatchZ,
    BetaWeight,
    GroupCenter,
    GroupZ,
    GTAlign,
    Imitate,
    LeaveOneOut,
)
from coopgym.algorithms.llm.method.credit.positions import DECS
from coopgym.algorithms.llm.method.credit.potentials import SPAE
from coopgym.algorithms.llm.method.credit.rewards import PathReward, Rank, Reward, reward_of
from coopgym.algorithms.llm.method.credit.trees import TreePS, VStar
from coopgym.algorithms.llm.method.credit.turns import IGPO, SIOP, MatchTIR, PPRReturns, ProRAG

__all__ = [
    "COPO",
    "DECS",
    "IGPO",
    "P2S",
    "PPO",
    "PPR",
    "SCOPE",
    "SIOP",
    "SPAE",
    "ArenaRL",
    "BatchZ",
    "BetaWeight",
    "GTAlign",
    "GroupCenter",
    "GroupZ",
    "Imitate",
    "LeaveOneOut",
    "MatchTIR",
    "OutcomeExploration",
    "PPRReturns",
    "PathReward",
    "ProRAG",
    "Rank",
    "Reward",
    "TreePS",
    "VStar",
    "reward_of",
]
