import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Answer, ChatServer, chat_server, completion

from algorithms.llm.models.answer_cache import AnswerCache
from algorithms.llm.models.chat import ChatMessage, ChatReply
from algorithms.llm.models.endpoint import Endpoint

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("httpx")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as running:
        yield running


def endpoint(server: ChatServer, **settings: Any) -> Endpoint:
    return Endpoint(**{"url": server.url, "model": "m", "backoff": 0.001, "timeout": 5.0, **settings})


def says(*texts: str) -> list[list[ChatMessage]]:
    return [[ChatMessage("system", "be brief"), ChatMessage("user", text)] for text in texts]


def one(endpoint: Endpoint, text: str = "hello") -> ChatReply:
    (reply,) = endpoint.reply(says(text))
    return reply


def test_conversations_are_answered_in_their_order(server: ChatServer) -> None:
    replies = endpoint(server, temperature=0.3, max_tokens=9).reply(says("a", "b", "c"), seeds=[1, 2, 3])
    assert [reply.content for reply in replies] == ["a, seed 1", "b, seed 2", "c, seed 3"]
    assert replies[0] == ChatReply("a, seed 1", prompt_tokens=7, completion_tokens=3)
    (request,) = (request for request in server.requests if request["seed"] == 1)
    assert request == {
        "model": "m",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "a"}],
        "temperature": 0.3,
        "max_tokens": 9,
        "seed": 1,
    }


def test_requests_run_side_by_side_but_not_too_many(server: ChatServer) -> None:
    server.script = [Answer(delay=0.05)] * 6
    endpoint(server, concurrency=3).reply(says(*"abcdef"))
    assert server.busiest == 3


def test_equal_requests_are_one(server: ChatServer) -> None:
    replies = endpoint(server).reply(says("a", "a", "b"))
    assert [reply.content for reply in replies] == ["a, seed None", "a, seed None", "b, seed None"]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "failures",
    [
        [Answer(status=429, headers={"Retry-After": "0"})],
        [Answer(status=500), Answer(status=503, body=b"<html>"), Answer(status=429)],
    ],
)
def test_overloads_and_faults_are_tried_again(server: ChatServer, failures: list[Answer]) -> None:
    server.script = list(failures)
    assert one(endpoint(server)) == ChatReply("hello, seed None", 7, 3)
    assert len(server.requests) == len(failures) + 1


def test_retry_after_is_honoured(server: ChatServer) -> None:
    server.script = [Answer(status=429, headers={"Retry-After": "0.2"})]
    start = time.monotonic()
    assert one(endpoint(server)).error is None
    assert time.monotonic() - start >= 0.2


def test_a_server_that_wants_hours_of_quiet_has_refused(server: ChatServer) -> None:
    server.script = [Answer(status=429, headers={"Retry-After": "7200"})]
    assert one(endpoint(server)).error == f"{server.url} answers HTTP 429; the server wants 7200 s of quiet"


def test_persistent_faults_end_in_an_error(server: ChatServer) -> None:
    server.script = [Answer(status=500)] * 3
    reply = one(endpoint(server, retries=2))
    assert reply == ChatReply("", error=f"{server.url} answers HTTP 500; given up after 3 tries")


def test_time_outs_are_tried_again(server: ChatServer) -> None:
    server.script = [Answer(delay=0.3), Answer(delay=0.3)]
    assert one(endpoint(server, timeout=0.05, retries=1)).error == (
        f"no answer from {server.url} within 0.05 s; given up after 2 tries"
    )


def test_a_server_that_is_not_there_is_told() -> None:
    absent = Endpoint(url="http://127.0.0.1:9/v1", model="m", retries=1, backoff=0.001)
    assert one(absent).error == "no connection to http://127.0.0.1:9/v1 (ConnectError); given up after 2 tries"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"choices": [', "the answer is not JSON: JSONDecodeError"),
        (b"[" * 100_000, "the answer is not JSON: RecursionError"),
        (b"\xff", "the answer is not JSON: UnicodeDecodeError"),
        ({"choices": []}, "the answer is not a chat completion: expected choices[0].message"),
        ([1], "the answer is not a chat completion: expected choices[0].message"),
        ({"choices": [{"message": "hi"}]}, "the answer is not a chat completion: expected choices[0].message"),
        (completion(None, tool_calls=[{}]), "the answer is not a chat completion: expected choices[0].message"),
        ({"choices": [{"message": {"content": [1]}}]}, "the answer's content is of type list: expected text"),
    ],
)
def test_unreadable_answers_are_errors_and_not_kept(
    server: ChatServer, body: object, error: str, tmp_path: Path
) -> None:
    server.script = [Answer(body)]
    asked = endpoint(server, cache=tmp_path)
    assert one(asked) == ChatReply("", error=f"{server.url}: {error}")
    assert one(asked).content == "hello, seed None"


@pytest.mark.parametrize("usage", [None, [], {"prompt_tokens": "7"}, {"prompt_tokens": -1}, {"prompt_tokens": True}])
def test_tokens_that_the_server_does_not_count_are_unknown(server: ChatServer, usage: object) -> None:
    server.script = [Answer({**completion("hi"), "usage": usage})]
    assert one(endpoint(server)) == ChatReply("hi", None, None)


def test_a_message_that_was_cut_is_marked(server: ChatServer) -> None:
    server.script = [Answer(completion("I thi", finish="length"))]
    assert not one(endpoint(server)).stopped


def test_native_calls_of_tools_become_text(server: ChatServer) -> None:
    functions = [{"name": "payoff", "arguments": '{"own": 0.6}'}, {"name": "submit", "arguments": {"level": 0.6}}]
    calls = [{"id": "1", "type": "function", "function": function} for function in functions]
    server.script = [Answer(completion("Let me see.", tool_calls=calls)), Answer(completion(None, tool_calls=calls))]
    tools = [{"type": "function", "function": {"name": "payoff", "parameters": {"type": "object"}}}]
    rendered = (
        '<tool_call>{"name": "payoff", "arguments": {"own": 0.6}}</tool_call>\n'
        '<tool_call>{"name": "submit", "arguments": {"level": 0.6}}</tool_call>'
    )
    asked = endpoint(server)
    assert asked.reply(says("x"), tools=tools)[0].content == f"Let me see.\n{rendered}"
    assert asked.reply(says("y"), tools=tools)[0].content == rendered
    assert server.requests[0]["tools"] == tools


def test_what_no_file_can_hold_is_spelt_out(server: ChatServer, tmp_path: Path) -> None:
    server.script = [Answer(completion("a\ud800"))]
    assert one(endpoint(server, cache=tmp_path)).content == r"a\ud800"


def test_cached_answers_are_not_asked_again(server: ChatServer, tmp_path: Path) -> None:
    first = one(endpoint(server, cache=tmp_path))
    again = one(endpoint(server, cache=tmp_path))
    assert again == dataclasses.replace(first, cached=True)
    assert len(server.requests) == 1
    endpoint(server, cache=tmp_path, temperature=0.5).reply(says("hello"))
    endpoint(server, cache=tmp_path).reply(says("hello"), seeds=[1])
    assert len(server.requests) == 3


def test_answers_are_kept_although_others_fail(server: ChatServer, tmp_path: Path) -> None:
    server.script = [Answer(), Answer(status=400, body=b"no")]
    asked = endpoint(server, cache=tmp_path, concurrency=1)
    assert [reply.error for reply in asked.reply(says("a", "b"))] == [None, f"{server.url} answers HTTP 400: no"]
    assert [reply.cached for reply in asked.reply(says("a", "b"))] == [True, False]


def test_a_full_disk_is_told_at_once(server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(AnswerCache, "keep", refuse)
    server.script = [Answer(status=429, headers={"Retry-After": "100"})]
    start = time.monotonic()
    with pytest.raises(OSError, match="disk full"):
        endpoint(server, cache=tmp_path, concurrency=2).reply(says("a", "b"))
    assert time.monotonic() - start < 50.0


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: b"",
        lambda entry: b'{"request": ',
        lambda entry: json.dumps({**entry, "request": {}}).encode(),
        lambda entry: json.dumps({**entry, "answer": {"content": 3}}).encode(),
        lambda entry: json.dumps({**entry, "answer": {**entry["answer"], "stopped": "yes"}}).encode(),
    ],
)
def test_damaged_cache_files_are_told_and_replaced(server: ChatServer, tmp_path: Path, damage: Any) -> None:
    asked = endpoint(server, cache=tmp_path)
    one(asked)
    (file,) = tmp_path.rglob("*.json")
    whole = file.read_bytes()
    file.write_bytes(damage(json.loads(whole)))
    with pytest.warns(UserWarning, match=r"\.json is damaged .* the model is asked again"):
        assert not one(asked).cached
    assert file.read_bytes() == whole
    assert one(asked).cached


def test_the_key_is_sent_and_stands_nowhere_else(
    server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("MY_KEY", f"{KEY}\n")
    asked = endpoint(server, cache=tmp_path, key_variable="MY_KEY")
    server.script = [
        Answer(completion(f"your key is {KEY}")),
        Answer(status=400, body=f"{'x' * 190}{KEY}".encode()),
        Answer(status=401, body=f"bad key {KEY}".encode()),
    ]
    replies = [one(asked, text) for text in ("a", "b", "c")]
    assert server.keys == [f"Bearer {KEY}"] * 3
    assert replies[0].content == "your key is ***"
    assert replies[2].error == f"{server.url} refuses access: set MY_KEY to a valid key"
    written = "".join(file.read_text() for file in tmp_path.rglob("*.json"))
    for place in (repr(asked), repr(replies), written, caplog.text):
        assert KEY[:8] not in place


def test_a_key_that_cannot_be_sent_is_told_without_showing_it(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sécret")
    with pytest.raises(ValueError, match="OPENAI_API_KEY holds no key: expected printable ASCII") as caught:
        one(endpoint(server))
    assert "cret" not in str(caught.value)


def test_requests_keep_the_pace(server: ChatServer) -> None:
    asked = endpoint(server, requests_per_minute=1200)
    start = time.monotonic()
    asked.reply(says("a", "b"))
    asked.reply(says("c"))
    assert time.monotonic() - start >= 0.1


def test_names_of_endpoints(server: ChatServer) -> None:
    named = Endpoint.named("llm:http://127.0.0.1:8000/v1/#org/model", temperature=0.0)
    assert (named.url, named.model, named.temperature) == ("http://127.0.0.1:8000/v1", "org/model", 0.0)
    unnamed = Endpoint.named(f"llm:{server.url}")
    assert one(unnamed).error is None
    assert server.requests[0]["model"] == "listed"
    with pytest.raises(ValueError, match="'http://x' names no endpoint: expected llm:URL or llm:URL#model"):
        Endpoint.named("http://x")


def test_a_model_that_is_neither_named_nor_listed_is_told() -> None:
    with pytest.raises(ValueError, match=r"does not say which models it has \(ConnectError\).*9/v1#model"):
        one(Endpoint.named("llm:http://127.0.0.1:9/v1"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "127.0.0.1:8000"}, "expected an address such as"),
        ({"url": f"http://me:{KEY}@host/v1"}, "put the key into an environment variable"),
        ({"url": f"http://host/v1?key={KEY}"}, "put the key into an environment variable"),
        ({"temperature": -0.1}, "temperature=-0.1: expected a finite number of at least 0"),
        ({"max_tokens": 0}, "max_tokens=0: expected a finite number of at least 1"),
        ({"timeout": 0.0}, "timeout=0.0: expected a finite number above 0"),
        ({"requests_per_minute": float("nan")}, "requests_per_minute=nan"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Endpoint(**{"url": "http://127.0.0.1:9/v1", **settings})
    assert KEY not in str(caught.value)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="seeds: 1 given, expected one for each of 2 conversations"):
        Endpoint(url="http://127.0.0.1:9/v1", model="m").reply(says("a", "b"), seeds=[1])
    with pytest.raises(ValueError, match="role='tool': expected one of system, user, assistant"):
        ChatMessage("tool", "x")  # type: ignore[arg-type]  # what is tested


def test_without_httpx_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ImportError, match=r"pip install 'coopgym\[llm\]'"):
        one(Endpoint(url="http://127.0.0.1:9/v1", model="m"))
