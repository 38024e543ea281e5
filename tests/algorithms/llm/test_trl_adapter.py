"""Environments as TRL uses them: reset, tools as methods, a reward in the end."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from coopgym.algorithms.llm.adapters.trl import DONE, GameEnvironment, environment_class, task_rows
from coopgym.algorithms.llm.play.tasks import TaskSettings
from coopgym.interfaces.text import TOOLS, Rules

SETTINGS = TaskSettings("TrustDilemma-v1", partners=("Constant_50",), decisions=2, latest_start=0)


def started(task: int = 0, settings: TaskSettings = SETTINGS) -> Any:
    environment = environment_class(settings)()
    environment.reset(task=task, prompt=[])
    return environment


def test_tools_are_the_public_methods() -> None:
    public = {name for name, _ in inspect.getmembers(type(started()), inspect.isfunction) if not name.startswith("_")}
    assert public == {*TOOLS, "reset", "get_reward"}


def test_equal_tasks_open_alike_and_others_do_not() -> None:
    kind = environment_class(TaskSettings("TrustDilemma-v1"))
    opened = [kind().reset(task=task) for task in (0, 0, 1)]
    assert opened[0] == opened[1] != opened[2]
    assert "<tools>" not in opened[0]


def test_a_rollout_is_worth_what_its_answers_are() -> None:
    environment = started()
    assert "your_reward" in environment.payoff(own=0.4, partner=0.5)
    assert environment.get_reward() == 0.0
    task = environment._rollout.task
    references = [task.settings.reference_action(step, task.seat) for step in range(2)]
    assert "Round 2 of 100" in environment.submit(level=round(references[0], 2))
    assert environment.submit(level=round(references[1], 2)) == DONE
    assert environment.get_reward() == pytest.approx(1.0, abs=0.02)
    assert environment.payoff(own=0.4, partner=0.5) == DONE
    environment.reset(task=1)
    assert environment.get_reward() == 0.0


def test_illegal_calls_are_told_and_cost_turns() -> None:
    environment = started(settings=TaskSettings("TrustDilemma-v1", latest_start=0, rules=Rules(retries=1)))
    assert "error" in environment.submit(level="a lot")
    assert environment.submit(amount=1) == DONE
    assert environment.get_reward() == 0.0


def test_schemas_are_made_as_chat_templates_do() -> None:
    transformers = pytest.importorskip("transformers.utils.chat_template_utils")
    for name, tool in TOOLS.items():
        function = transformers.get_json_schema(getattr(started(), name))["function"]
        assert function["name"] == name
        assert function["description"] == tool.description
        assert set(function["parameters"].get("required", [])) == {argument.name for argument in tool.arguments}
        for argument in tool.arguments:
            assert function["parameters"]["properties"][argument.name]["description"] == argument.description


def test_rows_are_tasks() -> None:
    pytest.importorskip("datasets")
    rows = task_rows(3, first=5)
    assert rows["task"][:] == [5, 6, 7]
    assert issubclass(environment_class(SETTINGS), GameEnvironment)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ("datasets", "verifiers.v1"):
        monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "coopgym.algorithms.llm.adapters.verifiers", raising=False)
    with pytest.raises(ImportError, match=r"coopgym\[interop\]"):
        task_rows(1)
    with pytest.raises(ImportError, match=r"coopgym\[interop\]"):
        importlib.import_module("coopgym.algorithms.llm.adapters.verifiers")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the trainer and what it stands on
def test_a_trainer_takes_a_step_with_a_model_that_calls_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trl = pytest.importorskip("trl")
    torch = pytest.importorskip("torch")
    from transformers import Qwen2ForCausalLM

    tokenizer = byte_tokenizer(Path(trl.__file__).parent / "chat_templates" / "qwen3.jinja")
    calls = [{"name": "payoff", "arguments": {"own": 0.4, "partner": 0.5}}]
    calls += [{"name": "submit", "arguments": {"level": 0.45}}]
    spoken = iter([*(f"<tool_call>\n{json.dumps(call)}\n</tool_call>" for call in calls), "Done."])

    def generate(model: Any, input_ids: Any, **_: Any) -> Any:
        written = torch.tensor(tokenizer(f"{next(spoken)}<|im_end|>")["input_ids"])
        return torch.cat([input_ids, written.expand(len(input_ids), -1)], dim=1)

    monkeypatch.setattr(Qwen2ForCausalLM, "generate", generate)
    trainer = trl.GRPOTrainer(
        model=tiny_model(tokenizer),
        processing_class=tokenizer,
        train_dataset=task_rows(2),
        environment_factory=environment_class(TaskSettings("TrustDilemma-v1")),
        args=trl.GRPOConfig(
            str(tmp_path), max_steps=1, per_device_train_batch_size=2, num_generations=2, max_completion_length=400,
            max_tool_calling_iterations=6, use_cpu=True, report_to=[], save_strategy="no", logging_steps=1,
        ),
    )  # fmt: skip
    trainer.train()
    logged = trainer.state.log_history[0]
    assert logged["tools/call_frequency"] == 2.0
    assert logged["tools/failure_frequency"] == 0.0
    assert logged["rewards/GameEnvironment/mean"] > 0.0


def byte_tokenizer(template: Path) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = template.read_text(encoding="utf-8")
    return tokenizer


def tiny_model(tokenizer: Any) -> Any:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 16384}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    return Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), **size, **heads, **ends))
