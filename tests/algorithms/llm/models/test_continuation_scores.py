import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.algorithms.llm.models import SmallModel, SmallSettings
from coopgym.algorithms.llm.models import continuation_scores as module
from coopgym.algorithms.llm.models.continuation_scores import endings_logp

MODEL = SmallModel(SmallSettings(layers=2, width=16, heads=2, context=24), seed=3)

TOKENS = st.lists(st.integers(0, 3), min_size=1, max_size=5).map(np.array)
CONTEXTS = st.lists(st.tuples(TOKENS, st.lists(TOKENS, max_size=4)), min_size=1, max_size=5)


def one_by_one(context, ending):
    whole = np.concatenate([context, ending])
    return MODEL.score([whole]).logp[0, len(context) :].sum().item()


@settings(max_examples=30)
@given(CONTEXTS, st.sampled_from([1, 1000]))
def test_endings_read_together_are_as_likely_as_alone(asked, cells):
    contexts, endings = [context for context, _ in asked], [own for _, own in asked]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CELLS", cells)
        found, _ = endings_logp(MODEL, contexts, endings)
    for context, own, values in zip(contexts, endings, found, strict=True):
        assert values.tolist() == pytest.approx([one_by_one(context, ending) for ending in own], abs=1e-4)


def test_what_is_too_long_to_read_is_unknown():
    context = np.zeros(20, dtype=np.int64)
    short, fitting, long = (np.ones(length, dtype=np.int64) for length in (1, 4, 5))
    ((values,), _) = endings_logp(MODEL, [context], [[long, fitting, short]])
    assert np.isnan(values).tolist() == [True, False, False]
    assert values[1] == pytest.approx(one_by_one(context, fitting), abs=1e-4)
    ((nothing,), tokens) = endings_logp(MODEL, [np.zeros(24, dtype=np.int64)], [[short]])
    assert np.isnan(nothing).all()
    assert tokens == 0


def test_contexts_and_beginnings_are_read_once():
    context, other = np.array([1, 2]), np.array([1, 3])
    endings = [np.array([4, 5, 6]), np.array([4, 5, 7]), np.array([4, 8]), np.array([9])]
    (first, _, last), tokens = endings_logp(MODEL, [context, other, context], [endings, endings[3:], endings])
    assert first.tolist() == last.tolist()
    assert tokens == len(context) + len(other) + len([(4,), (4, 5)])


def test_nothing_to_score():
    assert endings_logp(MODEL, [], []) == ([], 0)
    ((nothing,), tokens) = endings_logp(MODEL, [np.array([1])], [[]])
    assert (nothing.shape, tokens) == ((0,), 0)
