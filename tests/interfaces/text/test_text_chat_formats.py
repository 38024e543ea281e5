"""Chat formats: what they read out of arbitrary text, and that no text makes them stumble."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.interfaces.text import CHAT_FORMATS, TOOLS, Rules, TextMatch, chat_format_named
from coopgym.interfaces.text.chat_formats import Call, ChatFormat

COMPACT, JSON = CHAT_FORMATS["compact"], CHAT_FORMATS["json"]
FRAGMENTS = (
    *("<tool_call>", "</tool_call>", "</think>", "{", "}", "[", '"', ":", ",", "\n", "#", " ", "submit", "payoff"),
    *(
        "level",
        "own",
        "name",
        "arguments",
        ".5",
        "60%",
        "NaN",
        "1e999",
        "-1",
        "true",
        "null",
        "\ud800",
        "\u2028",
        "[" * 2000,
    ),
    *('{"name": "submit", "arguments": {"level": 0.5}}', '{"name": "payoff", "arguments": {"own": 1, "own": 2}}'),
)
MESSAGES = st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)
either = pytest.mark.parametrize("dialect", [COMPACT, JSON], ids=lambda dialect: dialect.name)


@either
@given(text=MESSAGES)
def test_reading_never_fails_and_gives_calls_or_a_problem(dialect: ChatFormat, text: str) -> None:
    reading = dialect.read(text)
    assert bool(reading.calls) == (reading.problem is None)


@either
@settings(max_examples=60)
@given(messages=st.lists(MESSAGES, min_size=6, max_size=6))
def test_any_six_messages_end_a_decision(dialect: ChatFormat, messages: list[str]) -> None:
    match = MATCHES[dialect.name].restore(SNAPSHOTS[dialect.name])
    for text in messages:
        if match.waiting:
            match.send(0, text)
    assert match.finished
    said = [message for message in match.transcript(0) if message.role == "assistant"]
    assert [message.content for message in said] == messages[: len(said)]
    assert match.dialogue(0).problems == sum(not message.valid for message in said)
    assert 0.0 <= match.outcome(0).shares[0] <= 1.0


MATCHES = {name: TextMatch("TrustDilemma-v1", dialect=name, rules=Rules(max_turns=6)) for name in CHAT_FORMATS}
SNAPSHOTS = {name: match.snapshot() for name, match in MATCHES.items()}


def test_compact_lines_are_calls_with_a_thought_before_them() -> None:
    reading = COMPACT.read("they were # low, so # payoff .60 .50\n\nsubmit 60%\n")
    assert reading.calls == (Call("payoff", (".60", ".50")), Call("submit", ("60%",)))
    assert reading.thought == "they were # low, so"
    assert COMPACT.read("only a thought #").problem == "no call"
    assert COMPACT.read(" \n").problem == "no call"


@either
@settings(max_examples=40)
@given(level=st.integers(0, 100), plan=st.lists(st.integers(0, 100), min_size=1, max_size=20), k=st.integers(1, 20))
def test_what_a_dialect_writes_it_reads_again(dialect: ChatFormat, level: int, plan: list[int], k: int) -> None:
    for name, arguments in (
        ("submit", {"level": level / 100}),
        ("simulate", {"plan": tuple(each / 100 for each in plan), "horizon": k}),
        ("observe", {}),
    ):
        (call,) = dialect.read(dialect.write(name, arguments)).calls
        assert (call.name, TOOLS[name].bind(call.arguments)) == (name, arguments)


def test_json_calls_stand_between_tags_and_all_else_is_thought() -> None:
    text = (
        '<think>maybe <tool_call>{"name": "submit"}</tool_call></think>Let me see. '
        '<tool_call>\n{"name": "payoff", "arguments": {"own": 0.6, "partner": "50%"}}\n</tool_call> and '
        '<tool_call>{"name": "observe"}'
    )
    reading = JSON.read(text)
    assert reading.calls == (Call("payoff", {"own": 0.6, "partner": "50%"}), Call("observe", {}))
    assert "Let me see." in reading.thought
    assert reading.thought.startswith("<think>maybe")
    assert JSON.read(' {"name": "submit", "arguments": {"level": 0.5}}\n').calls == (Call("submit", {"level": 0.5}),)


SUBMIT = Call("submit", {"level": 0.5})


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        # Hermes, Qwen
        ('<tool_call>{"name": "submit", "arguments": "{\\"level\\": 0.5}"}</tool_call>', [SUBMIT]),
        ('<tool_call>{"name": "observe", "arguments": ""}</tool_call>', [Call("observe", {})]),
        ('<tool_call>{"name": "observe", "arguments": null}<|im_end|>', [Call("observe", {})]),
        # Qwen3-Coder
        ("<tool_call>\n<function=submit>\n<parameter=level>\n0.5\n</parameter>\n</function>\n</tool_call>", [SUBMIT]),
        (
            "So: <function=simulate><parameter=plan>[0.4, 0.5]</parameter><parameter=horizon>3</parameter></function>",
            [Call("simulate", {"plan": [0.4, 0.5], "horizon": 3})],
        ),
        ("<function=submit><parameter=level>60%</parameter></function>", [Call("submit", {"level": "60%"})]),
        ("<function=observe></function> <function=observe>\n</function>", [Call("observe", {})] * 2),
        ('<function=submit>{"level": 0.5}</function>', [SUBMIT]),
        # Mistral
        (
            '[TOOL_CALLS][{"name": "observe", "arguments": {}}, {"name": "submit", "arguments": {"level": 0.5}}]</s>',
            [Call("observe", {}), SUBMIT],
        ),
        ('Well. [TOOL_CALLS]observe[ARGS]{}[TOOL_CALLS]submit{"level": 0.5}', [Call("observe", {}), SUBMIT]),
        ('[TOOL_CALLS]submit[CALL_ID]a1b2[ARGS]{"level": 0.5}', [SUBMIT]),
        # Llama
        ('<|python_tag|>{"type": "function", "name": "submit", "parameters": {"level": 0.5}}<|eom_id|>', [SUBMIT]),
        (
            '{"name": "observe", "parameters": {}}; {"name": "submit", "parameters": {"level": 0.5}}<|eot_id|>',
            [Call("observe", {}), SUBMIT],
        ),
        # anybody
        ('I play this:\n```json\n{"name": "submit", "arguments": {"level": 0.5}}\n```\n', [SUBMIT]),
        ('```\n[{"function": {"name": "submit", "arguments": {"level": 0.5}}}]\n```', [SUBMIT]),
        (
            '```json\n{"level": 0.9}\n``` or ```python\nsubmit(0.9)``` <tool_call>{"name": "submit", "arguments": '
            '{"level": 0.5}}</tool_call> ```{"name": "submit", "arguments": {"level": 0.9}}```',
            [SUBMIT],
        ),
        ('[{"name": "submit", "arguments": {"level": 0.5}}]', [SUBMIT]),
    ],
)
def test_calls_are_read_in_the_forms_of_all_models(text: str, calls: list[Call]) -> None:
    reading = JSON.read(text)
    assert (list(reading.calls), reading.problem) == (calls, None)


@given(
    words=st.lists(st.sampled_from([*FRAGMENTS[:5], "</parameter>", "</function>", "```", "[TOOL_CALLS]", "x", '"']))
)
def test_no_text_within_a_call_can_end_it(words: list[str]) -> None:
    said = "".join(words)
    (call,) = JSON.read(f"As I said. {JSON.write('submit', {'level': 0.5, 'why': said})} That is it.").calls
    assert call == Call("submit", {"level": 0.5, "why": said})


@pytest.mark.parametrize(
    "part",
    [
        '<tool_call>{":0,":0,"',
        '</think><tool_call>{":0,":0,"',
        '</think>```json\n{"a":"',
        "<function=a><parameter=b>",
        '[TOOL_CALLS]a{"b":"',
        "<think></think>",
        '</think>[{"a":[',
        '{"name":"a"};',
        "</parameter> ",
        "<think>",
    ],
)
def test_reading_takes_time_in_proportion_to_length(part: str) -> None:
    text = part * (400_000 // len(part))
    begun = time.process_time()
    JSON.read(text)
    assert time.process_time() - begun < 5.0  # what is quadratic takes far longer


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<think>then <tool_call>{"name": "submit", "arguments": {"level": 0.5}}</tool_call>', "no tool call"),
        ("I play 0.5.", "no tool call; write <tool_call>"),
        ('Fine: {"name": "submit", "arguments": {"level": 0.5}}', "no tool call"),
        ('{"name": "submit", "name": "payoff"}', "the same key twice"),
        ('{"name": "submit", "arguments": {"level": NaN}}', "NaN is no number"),
        ('{"name": "submit", "arguments": {"level": ' + "[" * 100_000, "nested too deeply|no JSON"),
        ('{"name": "submit", "arguments": {"level": ' + "9" * 5000 + "}}", "Exceeds the limit"),
        ('{"name": "submit", "arguments": [0.5]}', "arguments as an object"),
        ('{"name": "submit", "level": 0.5}', "an object with name and arguments"),
        ('<tool_call>{"name": "submit"} {"name": "submit"}</tool_call>', r"no JSON \(Extra data\)"),
        ("<tool_call>[1]</tool_call>", "an object with name and arguments"),
        ("<tool_call></tool_call>", "no JSON"),
        ('<tool_call>{"name": "submit", "arguments": {"level": 0.', "no JSON"),
        ('{"name": "submit", "arguments": {}, "parameters": {}}', "write one of them"),
        ('{"name": "submit", "arguments": "0.5"}', "arguments as an object"),
        ("<function=submit><parameter=level>0.", "the parameter level has no end"),
        ("<function=submit><parameter=level>0.5</parameter>", "the parameter level has no end"),
        ("<function=submit>0.5</function>", "the function submit has no end"),
        ("<function=>", "a function without a name"),
        ("<|python_tag|>submit.call(level=0.5)", "no JSON"),
        ("[TOOL_CALLS]submit", "no JSON"),
        ('```json\n{"level": 0.5}\n```', "no tool call"),
    ],
)
def test_json_that_is_no_call_is_refused_with_the_reason(text: str, problem: str) -> None:
    reading = JSON.read(text)
    assert reading.calls == ()
    assert reading.problem is not None
    with pytest.raises(ValueError, match=problem):
        raise ValueError(reading.problem)


def test_the_compact_prompt_is_one_short_line() -> None:
    match = TextMatch("TrustDilemma-v1", start=3, reward="cooperative", partners={0: "Constant_50", 1: "Constant_40"})
    assert match.prompt(0) == "TD s0 c t03 e100 me .50 they .40 trust .56 rep .00 gone .00>"
    assert TextMatch("TrustDilemma-v0", view="minimal").prompt(0) == "TD0 s0 p t00 e100 me .40 trust .50>"


def test_the_plain_prompt_states_rules_situation_and_tools_but_no_solution() -> None:
    prompt = TextMatch("GiftExchange-v1", seats=1, dialect="json", parameters={"k": 2.1}, reward="integrated").prompt(1)
    for stated in (
        *("You are agent_1 (worker) with an endowment of 80", "Payoff: with what is done", "k = 2.1", "Round 1 of 100"),
        *(
            "agent_0: last put in 25% of its endowment",
            '"wage": [0.25]',
            "You have 6 messages",
            '"name": "best_response"',
        ),
    ):
        assert stated in prompt
    for solution in ("Nash", "optimum", "coopetitive", "Source"):
        assert solution not in prompt


def test_unknown_dialects_are_refused_with_the_nearest() -> None:
    assert chat_format_named(JSON) is JSON
    with pytest.raises(ValueError, match="unknown dialect 'jsn'; did you mean 'json'"):
        chat_format_named("jsn")
