"""Models at servers as annotators and writers of factors: what is asked and read, and faults that lose nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import coopgym
from coopgym.algorithms.endpoint_feedback import NoAnswerError, annotator_at, text_model
from coopgym.algorithms.reward_models.annotators import Label, LabelExchange, find_annotator
from coopgym.algorithms.reward_models.captions import CAPTIONS, Caption
from coopgym.algorithms.reward_models.factor_search import search_factors
from coopgym.play import NOMINAL, open_loop, unroll
from coopgym.rewards import reward_layer
from tests.algorithms.llm.chat_server import Answer, ChatServer, completion


def saying(content: str) -> Answer:
    return Answer(completion(content))


def labelled(exchange: LabelExchange, count: int) -> dict[Caption, Label]:
    found = dict(exchange.exchange(CAPTIONS[:count]))
    while len(found) < count:
        found |= exchange.exchange([])
    return found


@pytest.mark.usefixtures("no_key")
def test_a_model_labels_by_its_address(server: ChatServer) -> None:
    server.usual = saying("1: yes\n2: no\n3: perhaps")
    exchange = find_annotator(f"llm:{server.url}#wise")()
    assert labelled(exchange, 3) == dict(zip(CAPTIONS[:3], (True, False, None), strict=True))
    (request,) = server.requests
    assert request["model"] == "wise"
    assert request["temperature"] == 0.1
    assert str(CAPTIONS[2]) in request["messages"][0]["content"]
    (unread,) = exchange.unreadable
    assert (unread.captions, unread.answer) == (CAPTIONS[2:3], "1: yes\n2: no\n3: perhaps")


@pytest.mark.usefixtures("no_key")
def test_a_server_that_refuses_is_no_answer_and_says_why(server: ChatServer) -> None:
    server.usual = Answer(status=401)
    exchange = annotator_at(f"llm:{server.url}#wise", retries=0)()
    assert labelled(exchange, 2) == dict.fromkeys(CAPTIONS[:2])
    (unread,) = exchange.unreadable
    assert "refuses access: set OPENAI_API_KEY" in unread.answer


@pytest.mark.usefixtures("no_key")
def test_a_reward_may_name_it(server: ChatServer) -> None:
    text = f"private + oni(annotator=llm:{server.url}#wise)"
    layer = reward_layer(text)
    assert str(layer) == text
    game = coopgym.make_game("TrustDilemma-v1", max_steps=4)
    running = layer.running(game, (2,))
    running.reset()
    paid = [running(step) for step in unroll(game, open_loop(game, np.full((4, 2, 2), 0.5)), batch=(2,), draws=NOMINAL)]
    assert np.isfinite(paid).all()


@pytest.mark.usefixtures("no_key")
def test_a_model_writes_factors_with_another_seed_each_time(server: ChatServer) -> None:
    server.usual = saying("effort = own_action\ntogether = own_action + partner_actions")
    found = search_factors(text_model(f"llm:{server.url}#wise"), coopgym.make_game("TrustDilemma-v1"), proposals=2)
    assert found.factors.expressions == (("effort", "own_action"), ("together", "own_action + partner_actions"))
    sent: list[dict[str, Any]] = server.requests
    assert [each["temperature"] for each in sent] == [1.0, 1.0, 0.3]
    assert [each["seed"] for each in sent] == [0, 1, 0]


@pytest.mark.usefixtures("no_key")
def test_faults_are_raised_in_words(server: ChatServer) -> None:
    server.usual = Answer(status=404, body=b"no m")
    with pytest.raises(NoAnswerError, match="HTTP 404: check the address and the name of the model"):
        text_model(f"llm:{server.url}#nobody")("Say yes.", 0.5)
    with pytest.raises(ValueError, match="'nobody' names no endpoint: expected llm:URL or llm:URL#model"):
        text_model("nobody")
