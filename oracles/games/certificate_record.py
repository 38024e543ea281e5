"""Certificates as plain data: what goes into a JSON file."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from coopgym.oracles.games.basins import Basins, Rest
from coopgym.oracles.games.certificate import Certificate
from coopgym.oracles.games.commitment import Commitment
from coopgym.oracles.games.coopetitive_path import CoopetitivePath
from coopgym.oracles.games.dilemma import Dilemma, worst
from coopgym.oracles.games.equilibrium import Equilibria, Equilibrium
from coopgym.typing import FloatArray

MARKS = (0, 25, 50, 75, 100)
"""Common constants, in per cent, whose rewards a record lists."""


def certificate_record(certificate: Certificate) -> dict[str, Any]:
    """Return a certificate as numbers, texts, lists and dictionaries, one share per group of exchangeable seats.

    Keys follow the formal edition §1.11; every equilibrium comes with its regret and residual, and searches that
    did not converge are listed beside those that did.
    """
    heads = [group[0] for group in certificate.groups]
    start, trusting = certificate.at_reset, certificate.trusting
    spec = certificate.game.spec

    def by_group(values: FloatArray | None) -> list[float] | None:
        return None if values is None else _rounded(values[heads])

    diagram = certificate.schelling
    record: dict[str, Any] = {
        "game": spec.id,
        "parameters": _plain(certificate.game.parameter_dict()),
        "payoff_unit": spec.payoff_unit,
        "groups": [len(group) for group in certificate.groups],
        "seats": [list(group) for group in certificate.groups],
        "qualifies": certificate.qualifies,
        "remarks": list(certificate.remarks),
        "baseline": by_group(spec.baselines / spec.endowments),
        **_stage_record(start, heads, ""),
        **_stage_record(trusting, heads, "_T1"),
        "greed": by_group(certificate.greed),
        "fear": by_group(certificate.fear),
        "schelling_cooperate": None if diagram is None else _rounded(diagram.cooperate),
        "schelling_defect": None if diagram is None else _rounded(diagram.defect),
        "mutuality_path": {
            **{str(degree): _reported(found, heads) for degree, found in certificate.mutuality.items()},
            "1.0": by_group(start.optimum.profile),
        },
        "evolving": _evolving_record(certificate.evolving, heads),
        "constant": commitment_record(certificate.commitment, heads),
        "mechanism": _mechanism_record(certificate, heads),
    }
    if certificate.agreement is not None:
        record["agreement"] = _plain(dataclasses.asdict(certificate.agreement))
    if certificate.information is not None:
        record["information"] = _plain(dataclasses.asdict(certificate.information))
    return record


def commitment_record(commitment: Commitment, heads: list[int]) -> dict[str, Any]:
    """Return commitment play as plain data; ``heads`` are the first seats of the groups."""
    prices = commitment.prices_of_anarchy
    return {
        "equilibria": {mode: equilibria_record(found, heads) for mode, found in commitment.equilibria.items()},
        "basins": {mode: basins_record(basins, heads) for mode, basins in commitment.basins.items()},
        "oracle": {mode: _best_paying(found, heads) for mode, found in commitment.equilibria.items()},
        "optimum": _rounded(commitment.optimum.profile[heads]),
        "W_optimum": _number(commitment.optimum.welfare),
        "poa_worst": None if prices is None else _number(prices[0]),
        "poa_best": None if prices is None else _number(prices[1]),
        "best_common": {
            mode: {
                "fraction": curve.best_level,
                "reward": _number(curve.best_reward),
                "at_percent": {str(mark): _number(float(curve.rewards[mark])) for mark in MARKS},
            }
            for mode, curve in commitment.curves.items()
        },
    }


def basins_record(basins: Basins, heads: list[int]) -> dict[str, Any]:
    """Return what seats settle on under one reward, and where basins meet; one share per group."""
    from_norm = basins.from_norm
    return {
        "followed": basins.followed,
        "norm": basins.norm,
        "equilibria": [
            {
                "at": _rounded(rest.profiles[0, heads]),
                "symmetric_within_groups": _symmetric(rest.profiles[0], heads),
                "profile": _rounded(rest.profiles[0]),
                "welfare": _number(float(rest.payoffs[0])),
                **_rest_record(rest),
            }
            for rest in basins.equilibria
        ],
        "continua": [
            {
                "low": _rounded(rest.profiles[0, heads]),
                "high": _rounded(rest.profiles[-1, heads]),
                "welfare": [_number(float(rest.payoffs.min())), _number(float(rest.payoffs.max()))],
                "members": rest.members,
                "audited": len(rest.profiles),
                **_rest_record(rest),
            }
            for rest in basins.continua
        ],
        "boundaries": [
            {
                "share": _number(boundary.share),
                "precision": _number(boundary.precision),
                "answers": None if boundary.answers is None else [_number(answer) for answer in boundary.answers],
                "equilibrium": boundary.equilibrium,
            }
            for boundary in basins.boundaries
        ],
        "unsettled": [_number(share) for share in basins.unsettled],
        "from_norm": None
        if from_norm is None
        else {"at": _rounded(from_norm.profiles[0, heads]), "welfare": _number(float(from_norm.payoffs[0]))},
    }


def _rest_record(rest: Rest) -> dict[str, Any]:
    return {
        "regret": rest.regret,
        "stability": rest.stability,
        "basin": None if rest.basin is None else [_number(edge) for edge in rest.basin],
    }


def _symmetric(profile: FloatArray, heads: list[int]) -> bool:
    """Whether exchangeable seats play the same."""
    return bool(len(np.unique(np.round(profile, 6))) <= len(heads))


def _best_paying(equilibria: Equilibria, heads: list[int]) -> dict[str, Any] | None:
    """What `Oracle_CommitmentNash` plays."""
    best = equilibria.best_paying()
    return None if best is None else {"at": _rounded(best.profile[heads]), "welfare": _number(best.welfare)}


def equilibria_record(equilibria: Equilibria, heads: list[int]) -> dict[str, Any]:
    """Return everything a search found, one share per group."""
    return {
        "unique": equilibria.unique,
        "found": [_equilibrium_record(found, heads) for found in equilibria.found],
        "not_converged": [
            {
                "start": _rounded(failure.start[heads]),
                "at": _rounded(failure.profile[heads]),
                "residual": failure.residual,
                "regret": failure.regret,
            }
            for failure in equilibria.unconverged
        ],
    }


def _equilibrium_record(found: Equilibrium, heads: list[int]) -> dict[str, Any]:
    return {
        "at": _rounded(found.profile[heads]),
        "symmetric_within_groups": _symmetric(found.profile, heads),
        "profile": _rounded(found.profile),
        "welfare": _number(found.welfare),
        "regret": found.regret,
        "residual": found.residual,
        "spacing": found.spacing,
        "stability": found.stability,
        "interior": found.interior,
        "basin": _number(found.basin),
    }


def _stage_record(stage: Dilemma, heads: list[int], suffix: str) -> dict[str, Any]:
    nash, coopetitive = stage.reported_nash, worst(stage.coopetitive)
    trust = suffix or "_T0"
    return {
        f"nash{suffix}": _reported(stage.nash, heads),
        f"nash{suffix}_unique": stage.nash.unique,
        f"nash{suffix}_search": equilibria_record(stage.nash, heads),
        f"coopetitive{trust}": _reported(stage.coopetitive, heads),
        f"coopetitive{trust}_unique": stage.coopetitive.unique,
        f"coopetitive{trust}_search": equilibria_record(stage.coopetitive, heads),
        f"optimum{suffix}": _rounded(stage.optimum.profile[heads]),
        f"optimum{suffix}_interior": stage.optimum.interior,
        f"W_nash{suffix}": None if nash is None else _number(nash.welfare),
        f"W_coopetitive{suffix}": None if coopetitive is None else _number(coopetitive.welfare),
        f"W_optimum{suffix}": _number(stage.optimum.welfare),
        f"poa{suffix}": _optional(stage.price_of_anarchy),
        f"gap_closed{suffix}": _optional(stage.gap_closed),
    }


def _evolving_record(path: CoopetitivePath | None, heads: list[int]) -> dict[str, Any] | None:
    if path is None:
        return None
    return {
        "first": _rounded(path.shares[0, heads]),
        "last": _rounded(path.shares[-1, heads]),
        "trust": [_number(float(path.trust[0])), _number(float(path.trust[-1]))],
        "steps": len(path.shares),
        "welfare": _number(float(path.payoffs.mean())),
        "residual": float(path.residuals.max()),
    }


def _mechanism_record(certificate: Certificate, heads: list[int]) -> dict[str, Any] | None:
    off = certificate.without_mechanism
    if off is None:
        return None
    return {
        "on": _side(certificate.at_reset, certificate.trusting, certificate.commitment, heads),
        "off": _side(off.at_reset, off.trusting, off.commitment, heads),
    }


def _side(start: Dilemma, trusting: Dilemma, commitment: Commitment, heads: list[int]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for mode, first, later in (
        ("private", start.nash, trusting.nash),
        ("integrated", start.coopetitive, trusting.coopetitive),
    ):
        record[f"stage_{mode}"] = _reported(first, heads)
        record[f"stage_{mode}_T1"] = _reported(later, heads)
        record[f"constant_{mode}"] = [
            {"at": _rounded(found.profile[heads]), "payoff": _number(found.welfare), "regret": found.regret}
            for found in commitment.equilibria[mode].found
        ]
        record[f"best_common_{mode}"] = commitment.curves[mode].best_level
    return record


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down: what reading the JSON gives back."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple | list) else value


def _reported(equilibria: Equilibria, heads: list[int]) -> list[float] | None:
    found = worst(equilibria)
    return None if found is None else _rounded(found.profile[heads])


def _rounded(values: FloatArray) -> list[float]:
    return [_number(float(value)) for value in values]


def _number(value: float) -> float:
    return round(value, 6)


def _optional(value: float | None) -> float | None:
    return None if value is None else _number(value)
