"""Group transforms: rollouts are repaired, replaced or left out before credit is assigned."""

from coopgym.algorithms.llm.method.transforms.patch import InterventionPatch
from coopgym.algorithms.llm.method.transforms.rejection import RejectionFilter
from coopgym.algorithms.llm.method.transforms.repair import Repair

__all__ = ["InterventionPatch", "RejectionFilter", "Repair"]
