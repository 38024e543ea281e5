import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.llm.models.tokenizer import ByteTokenizer

TOKENIZER = ByteTokenizer()


@given(st.text())
def test_every_text_survives(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert TOKENIZER.decode([*ids, TOKENIZER.end]) == text
    assert TOKENIZER.end not in ids


@given(st.lists(st.integers(0, TOKENIZER.size - 1)))
def test_whatever_a_model_writes_becomes_text_that_can_be_stored(ids: list[int]) -> None:
    TOKENIZER.decode(ids).encode()


def test_a_lone_surrogate_is_spelt_out() -> None:
    assert TOKENIZER.decode(TOKENIZER.encode("a\ud800b")) == r"a\ud800b"


def test_a_number_that_is_no_token_is_refused() -> None:
    with pytest.raises(ValueError, match="token 257: expected numbers from 0 to 256"):
        TOKENIZER.decode([65, 257])
