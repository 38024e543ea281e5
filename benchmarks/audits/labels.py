"""Labels under which the reference files its surface audit, although no policy plays."""

from __future__ import annotations

from coopgym.games.spec import GameSpec

INDEPENDENT = ("ISAC", "IPPO", "IA2C", "IndependentREINFORCE", "LOLA", "SelfPlay_PPO", "FCP")
CENTRALISED = ("MADDPG", "MATD3", "M3DDPG", "MASAC", "QMIX", "VDN", "COMA", "MAPPO", "MeanFieldAC")
HEURISTICS = ("Random", "TitForTat")


def reference_labels(spec: GameSpec) -> tuple[str, ...]:
    """Return the labels under which the reference files its surface audit of a game: 16 learners and 2 heuristics.

    MeanFieldAC is left out of the eight games of the classes TR-1 and TR-2 that it takes for games of two.
    """
    for_many = spec.mechanism_class in ("TR-3", "TR-4") or spec.category == "ecosystem"
    labels = (*INDEPENDENT, *CENTRALISED, *HEURISTICS)
    return labels if for_many else tuple(label for label in labels if label != "MeanFieldAC")
