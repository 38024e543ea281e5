"""Settings of all tests.

Property tests try 30 examples unless they say otherwise, since many are tried for every game, and have no deadline
per example: the first one may import torch, and machines are shared. Interrupts are heeded also where a shell runs
the tests in its background: its jobs ignore them, and so does all that they start. Arithmetic has one thread per
process, and so has all that tests start: arrays are small, and threads of workers that share a machine wait for each
other longer than they compute. Nothing waits until files have reached the disk: no test pulls the plug, and folders
of tests are thrown away. Bytecode is kept, also where the environment says otherwise: every worker, and every process
that a test starts, would compile everything anew. Workers take neighbouring tests, and steal from each other when they
are done: what a module makes once is seldom made twice.
"""

import os
import signal
import sys

import pytest
from hypothesis import settings

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False
os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch and NumPy are imported

settings.register_profile("coopgym", deadline=None, max_examples=30)
settings.load_profile("coopgym")

os.fsync = lambda descriptor: None


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "worksteal"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
