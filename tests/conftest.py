"""Settings of all tests.

Property tests have no deadline per example: the first one may import torch, and machines are shared.
"""

from hypothesis import settings

settings.register_profile("coopgym", deadline=None)
settings.load_profile("coopgym")
