"""One namespace from four folders: what stands beside ``coopgym`` is imported as part of it.

In a checkout links say the same to tools that only read the tree; nothing is installed through them.
"""

from setuptools import find_packages, setup

BESIDE = ("oracles", "algorithms", "benchmarks")

setup(
    packages=[
        *find_packages(include=["coopgym", "coopgym.*"], exclude=[f"coopgym.{each}*" for each in BESIDE]),
        *(f"coopgym.{name}" for each in BESIDE for name in find_packages(include=[each, f"{each}.*"])),
    ],
    package_dir={f"coopgym.{each}": each for each in BESIDE},
)
