from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.llm.models.sampling import draw, sample
from coopgym.typing import IntArray

END = (3,)
FIVE = np.full(3, 5)


class Counter:
    """Surely counts on from the last token of a context; remembers how much it was asked to do."""

    def __init__(self) -> None:
        self.read = 0
        self.sizes: list[int] = []

    def begin(self, contexts: Sequence[IntArray], room: int) -> torch.Tensor:
        self.read = len(contexts)
        self.next = torch.tensor([int(context[-1]) for context in contexts])
        return self._logits()

    def keep(self, rows: torch.Tensor) -> None:
        self.next = self.next[rows]

    def write(self, tokens: torch.Tensor) -> torch.Tensor:
        assert torch.equal(tokens, self.next)
        self.sizes.append(len(tokens))
        self.next = self.next + 1
        return self._logits()

    def _logits(self) -> torch.Tensor:
        return torch.where(torch.arange(4) == self.next[:, None], 0.0, -torch.inf)


def arrays(*contexts: Sequence[int]) -> list[IntArray]:
    return [np.array(context, dtype=np.int64) for context in contexts]


def test_sequences_end_at_the_end_token_and_leave_the_batch() -> None:
    writer = Counter()
    written = sample(writer, arrays([0], [2], [0]), END, FIVE, temperature=1.0, uniforms=np.full((3, 5), 0.5))
    assert [generation.ids.tolist() for generation in written] == [[0, 1, 2, 3], [2, 3], [0, 1, 2, 3]]
    assert all(generation.stopped for generation in written)
    assert writer.sizes == [3, 2, 2]


def test_equal_contexts_are_read_once() -> None:
    writer = Counter()
    sample(writer, arrays([0], [2], [0]), END, FIVE, temperature=0.0, uniforms=np.zeros((3, 5)))
    assert writer.read == 2


def test_sequences_are_cut_at_their_limits() -> None:
    contexts, limits = arrays([1, 0], [0], [0]), np.array([1, 2, 0])
    written = sample(Counter(), contexts, END, limits, temperature=0.0, uniforms=np.zeros((3, 2)))
    assert [generation.ids.tolist() for generation in written] == [[0], [0, 1], []]
    assert not any(generation.stopped for generation in written)


def test_nothing_to_write_is_no_batch() -> None:
    assert sample(Counter(), [], END, FIVE[:0], temperature=0.0, uniforms=np.zeros((0, 2))) == []


@given(
    st.lists(st.floats(-20.0, 20.0), min_size=1, max_size=8),
    st.floats(0.0, 1.0, exclude_max=True),
    st.floats(0.05, 5.0),
)
def test_draws_follow_the_inverse_distribution_function(logits: list[float], uniform: float, heat: float) -> None:
    scores = torch.tensor([logits], dtype=torch.float64)
    token, logp = draw(scores, heat, torch.tensor([uniform], dtype=torch.float64))
    cumulative = np.cumsum(np.exp((np.array(logits) - max(logits)) / heat))
    cumulative /= cumulative[-1]
    chosen = int(token)
    assert (cumulative[chosen - 1] if chosen else 0.0) <= uniform + 1e-12
    assert uniform <= cumulative[chosen] + 1e-12
    tempered = np.array(logits) / heat
    assert float(logp) == pytest.approx(tempered[chosen] - np.logaddexp.reduce(tempered))


def test_impossible_tokens_are_never_drawn() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]]).expand(1001, -1)
    tokens, _ = draw(logits, 1.0, torch.linspace(0.0, 1.0 - 2.0**-53, 1001, dtype=torch.float64))
    assert set(tokens.tolist()) == {1, 3}


def test_a_diverged_model_is_reported() -> None:
    class Broken(Counter):
        def _logits(self) -> torch.Tensor:
            return torch.full((len(self.next), 4), torch.nan)

        def write(self, tokens: torch.Tensor) -> torch.Tensor:
            return self._logits()

    with pytest.raises(FloatingPointError, match="weights have diverged"):
        sample(Broken(), arrays([0]), END, FIVE[:1], temperature=1.0, uniforms=np.full((1, 5), 0.5))
