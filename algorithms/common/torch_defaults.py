"""Training does not depend on what the program around it has set in torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def torch_defaults() -> Iterator[None]:
    """Run under torch's own defaults: gradients on, inference mode off, new tensors of float32 on the CPU.

    Also a decorator. Learners name the device of what does not belong on the CPU.
    """
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    with ExitStack() as modes:
        modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
        if device.type != "cpu":
            modes.enter_context(torch.device("cpu"))
        modes.callback(torch.set_default_dtype, dtype)
        torch.set_default_dtype(torch.float32)
        yield
