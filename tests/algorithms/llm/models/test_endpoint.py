import dataclasses
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from coopgym.algorithms.llm.models import exchange
from coopgym.algorithms.llm.models.answer_cache import AnswerCache
from coopgym.algorithms.llm.models.chat import ChatMessage, ChatReply
from coopgym.algorithms.llm.models.endpoint import Endpoint
from coopgym.algorithms.llm.models.rate_limit import retry_after
from tests.algorithms.llm.chat_server import (
    CUTS,
    REFUSALS,
    TROUBLES,
    Answer,
    ChatServer,
    TimelessClock,
    completion,
    echo,
)

KEY = "sk-very-secret"


pytestmark = pytest.mark.usefixtures("no_key")


def endpoint(server: ChatServer, **settings: Any) -> Endpoint:
    return Endpoint(**{"url": server.url, "model": "m", "timeout": 5.0, "clock": TimelessClock(), **settings})


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


@pytest.mark.parametrize("name", TROUBLES)
def test_troubles_are_tried_again_and_given_up_in_the_end(server: ChatServer, name: str, tmp_path: Path) -> None:
    trouble, reason = TROUBLES[name]
    asked = endpoint(server, retries=2, cache=tmp_path)
    server.script = [trouble] * 3
    gone = one(asked)
    assert gone.error is not None
    assert reason in gone.error
    assert gone.error.endswith("; given up after 3 tries")
    assert (gone.requests, gone.finish, len(server.requests)) == (3, "error", 3)
    server.script = [trouble] * 2
    healed = one(asked)
    assert (healed.content, healed.error, healed.requests, healed.finish) == ("hello, seed None", None, 3, "stop")
    assert healed.note is not None
    assert reason in healed.note
    assert len(server.requests) == 6
    assert one(asked).cached


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_end_at_once(server: ChatServer, name: str, tmp_path: Path) -> None:
    refusal, reason = REFUSALS[name]
    server.script = [refusal]
    asked = endpoint(server, cache=tmp_path)
    reply = one(asked)
    assert (reply.content, reply.requests, len(server.requests)) == ("", 1, 1)
    assert reason in (reply.error or "")
    assert one(asked).error is None


@pytest.mark.parametrize("name", CUTS)
def test_messages_that_were_cut_off_are_told_apart_and_kept(server: ChatServer, name: str, tmp_path: Path) -> None:
    cut, finish = CUTS[name]
    server.script = [cut]
    asked = endpoint(server, cache=tmp_path)
    for cached in (False, True):
        reply = one(asked)
        assert (reply.content, reply.finish, reply.error, reply.cached) == ("so 0.", finish, None, cached)
    assert len(server.requests) == 1


def test_half_a_message_that_a_fault_left_is_kept(server: ChatServer) -> None:
    server.script = [TROUBLES["message broken off"][0]] * 2
    reply = one(endpoint(server, retries=1))
    assert (reply.content, reply.finish) == ("I thi", "error")
    assert reply.error == f"{server.url} broke the message off; given up after 2 tries"


def test_pauses_double_unless_the_server_wants_more_quiet(server: ChatServer) -> None:
    clock = TimelessClock()
    server.script = [Answer(status=500), Answer(status=500), Answer(status=429, headers={"Retry-After": "90"})]
    assert one(endpoint(server, clock=clock, backoff=1.0)).error is None
    first, second, third = clock.waits
    assert 0.5 <= first <= 1.0 <= second <= 2.0
    assert third == 90.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("soon", 0.0),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("Sun, 99 Nov 1994 08:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after(header, datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)) == seconds


def test_an_answer_has_a_time_limit_over_all_tries(server: ChatServer) -> None:
    server.script = [Answer(status=503, headers={"Retry-After": "40"})] * 9
    reply = one(endpoint(server, time_limit=100.0, retries=20))
    assert reply.error == (
        f"{server.url} answers HTTP 503; given up after 3 tries: the limit of 100 s leaves no time for another one"
    )


def test_an_answer_that_never_ends_is_given_up(server: ChatServer) -> None:
    server.script = [Answer(delay=0.5)]
    reply = one(endpoint(server, time_limit=0.05))
    assert reply.error == "given up: no whole answer within 0.05 s"


def test_time_outs_are_tried_again(server: ChatServer) -> None:
    server.script = [Answer(delay=0.3), Answer(delay=0.3)]
    assert one(endpoint(server, timeout=0.05, retries=1)).error == (
        f"no answer from {server.url} within 0.05 s; given up after 2 tries"
    )


def test_a_response_without_end_is_refused(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_BYTES", 1000)
    server.script = [Answer(b" " * 1001)]
    assert one(endpoint(server)).error == f"{server.url} answers more than 1000 bytes"


def test_a_server_that_is_not_there_is_told() -> None:
    absent = Endpoint(url="http://127.0.0.1:9/v1", model="m", retries=1, clock=TimelessClock())
    assert one(absent).error == "no connection to http://127.0.0.1:9/v1 (ConnectError); given up after 2 tries"


@pytest.mark.parametrize(
    ("usage", "counts", "odd"),
    [
        (None, (None, None), None),
        ([], (None, None), None),
        ({"prompt_tokens": 7.0, "completion_tokens": 0}, (7, 0), None),
        ({"prompt_tokens": "7", "completion_tokens": 3}, (None, 3), "'7'"),
        ({"prompt_tokens": -1}, (None, None), "'-1'"),
        ({"prompt_tokens": True}, (None, None), "'True'"),
        ({"prompt_tokens": 1.5}, (None, None), "'1.5'"),
        ({"prompt_tokens": 2**40, "completion_tokens": 3}, (None, 3), "'1099511627776'"),
        ({"prompt_tokens": float("inf")}, (None, None), "'inf'"),
    ],
)
def test_tokens_that_the_server_does_not_count_are_unknown(
    server: ChatServer, usage: object, counts: tuple[int | None, int | None], odd: str | None
) -> None:
    server.script = [Answer({**completion("hi"), "usage": usage})]
    note = odd and f"prompt_tokens {odd} is no number of tokens"
    assert one(endpoint(server)) == ChatReply("hi", *counts, note=note)


def call(name: str, *arguments: Any) -> dict[str, Any]:
    return {"function": {"name": name, **({"arguments": arguments[0]} if arguments else {})}}


def test_native_calls_of_tools_become_text(server: ChatServer) -> None:
    calls = [call("payoff", '{"own": 0.6}'), {"id": "1", "type": "function", **call("submit", {"level": 0.6})}]
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


NOTHING = '<tool_call>{"name": "observe", "arguments": {}}</tool_call>'


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"content": [{"type": "text", "text": "a"}, "b", {"type": "image_url"}]}, "ab"),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, "b"]}, "<think>t</think>\nb"),
        ({"content": "b", "reasoning_content": " t</think> "}, "<think>t</think>\nb"),
        ({"content": None, "reasoning": "t"}, "<think>t</think>"),
        ({"content": None, "refusal": "I won't."}, "I won't."),
        ({"content": "b", "refusal": None, "tool_calls": None}, "b"),
        *(
            ({"content": None, "tool_calls": [call("observe", *given)]}, NOTHING)
            for given in ((), ("",), (None,), ({},))
        ),
        ({"content": None, "function_call": {"name": "observe", "arguments": " "}}, NOTHING),
    ],
)
def test_what_servers_make_of_messages_is_understood(server: ChatServer, message: dict[str, Any], content: str) -> None:
    server.script = [Answer(completion(**message))]
    assert one(endpoint(server)) == ChatReply(content, 7, 3)


def test_servers_that_spell_the_longest_message_another_way_get_it_so(server: ChatServer, tmp_path: Path) -> None:
    def modern(request: dict[str, Any]) -> dict[str, Any]:
        return echo(request) if "max_completion_tokens" in request else {"error": "never"}

    refusal = Answer(status=400, body={"error": {"message": "Unsupported: 'max_tokens'. Use 'max_completion_tokens'."}})
    server.script, server.usual = [refusal], Answer(modern)
    asked = endpoint(server, max_tokens=9, cache=tmp_path)
    assert [one(asked, text).requests for text in "ab"] == [1, 1]
    spelt = [{name for name in request if name.startswith("max")} for request in server.requests]
    assert spelt == [{"max_tokens"}, {"max_completion_tokens"}, {"max_completion_tokens"}]
    assert one(asked, "a").cached
    server.script = [refusal]
    assert "HTTP 400" in (one(asked, "c").error or "")


def test_what_no_file_can_hold_is_spelt_out(server: ChatServer, tmp_path: Path) -> None:
    server.script = [Answer(completion("a\ud800"))]
    assert one(endpoint(server, cache=tmp_path)).content == r"a\ud800"


def test_cached_answers_are_not_asked_again(server: ChatServer, tmp_path: Path) -> None:
    first = one(endpoint(server, cache=tmp_path))
    again = one(endpoint(server, cache=tmp_path))
    assert again == dataclasses.replace(first, cached=True, requests=0)
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
        lambda entry: json.dumps({**entry, "answer": {**entry["answer"], "finish": "yes"}}).encode(),
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
    clock = TimelessClock()
    asked = endpoint(server, requests_per_minute=1200, clock=clock, concurrency=1)
    asked.reply(says("a", "b"))
    asked.reply(says("c"))
    assert clock.time == pytest.approx(0.1)


def test_names_of_endpoints(server: ChatServer) -> None:
    named = Endpoint.named("llm:http://127.0.0.1:8000/v1/#org/model", temperature=0.0)
    assert (named.url, named.model, named.temperature) == ("http://127.0.0.1:8000/v1", "org/model", 0.0)
    unnamed = Endpoint.named(f"llm:{server.url}")
    assert one(unnamed).error is None
    assert server.requests[0]["model"] == "listed"
    with pytest.raises(ValueError, match="'http://x' names no endpoint: expected llm:URL or llm:URL#model"):
        Endpoint.named("http://x")


def test_a_model_that_is_neither_named_nor_listed_is_told() -> None:
    with pytest.raises(ValueError, match=r"does not say which models it has \(.*ConnectError.*9/v1#model"):
        one(Endpoint.named("llm:http://127.0.0.1:9/v1", clock=TimelessClock()))


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
