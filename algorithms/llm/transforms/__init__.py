"""Group transforms: rollouts are repaired, replaced or left out before credit is assigned."""

from algorithms.llm.transforms.patch import InterventionPatch
from algorithms.llm.transforms.rejection import RejectionFilter
from algorithms.llm.transforms.repair import Repair

__all__ = ["InterventionPatch", "RejectionFilter", "Repair"]
