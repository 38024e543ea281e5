"""Four historical relations, what models of them earn by published and by stricter rules, and what chance earns."""

from coopgym.benchmarks.case_studies.case_file import CaseFile, CaseFileError, case_hash, case_names, load_case
from coopgym.benchmarks.case_studies.scorecard import Compared, Line, Scorecard, Subtotal, score_case

__all__ = [
    "CaseFile",
    "CaseFileError",
    "Compared",
    "Line",
    "Scorecard",
    "Subtotal",
    "case_hash",
    "case_names",
    "load_case",
    "score_case",
]
