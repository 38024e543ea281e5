"""Causal language models of the Hugging Face library, trained whole or by low-rank adapters."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.models.chat_tokenizer import ChatTokenizer
from coopgym.algorithms.llm.models.language_model import LanguageModel, padded
from coopgym.algorithms.llm.models.storage import (
    PRETRAINED_FOLDER,
    copy_into,
    read_weights,
    write_description,
    write_model,
)
from coopgym.extras import missing_extra
from coopgym.typing import IntArray


@dataclass(frozen=True, kw_only=True)
class LoraSettings(Settings):
    """Low-rank adapters of all linear layers but the last, with scale ``alpha / rank`` (Hu et al. 2021)."""

    rank: int = hyperparameter(16, 1, 1024)
    alpha: int = hyperparameter(32, 1)


class HuggingFaceModel(LanguageModel):
    """A causal language model of the library ``transformers``. Its code is the library's own, its weights safetensors.

    Args:
        name: a folder, a repository of the hub, or a file in the GGUF format.
        device: where it lives.
        dtype: of the weights.
        lora: train adapters, drawn from ``seed``, instead of the weights.
        local_files_only: never look at the hub.
        seed: of the adapters.

    Raises:
        ImportError: the library, or one that it needs for this model, is not installed.
        OSError: no such model, or no safetensors in it.
    """

    def __init__(
        self,
        name: str | Path,
        *,
        device: str | torch.device = "cpu",
        dtype: Literal["float32", "bfloat16", "float16"] = "float32",
        lora: LoraSettings | None = None,
        local_files_only: bool = False,
        seed: int = 0,
    ) -> None:
        network, library_tokenizer = _pretrained(str(name), dtype, local_files_only)
        config = network.config.get_text_config()
        self._chat = ChatTokenizer(library_tokenizer, config.vocab_size, _stops(network))
        self.tokenizer = self._chat
        self.context = int(config.max_position_embeddings)
        self.width = int(config.hidden_size)
        self.device = torch.device(device)
        self.dtype = dtype
        self.lora = lora
        self.network = (_adapted(network, lora, seed) if lora else network).to(self.device).eval()

    def parameters(self) -> list[Tensor]:
        return [weight for weight in self.network.parameters() if weight.requires_grad]

    def state(self) -> dict[str, Tensor]:
        return {name: weight.detach() for name, weight in self.network.named_parameters() if weight.requires_grad}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        copy_into(self.state(), state)

    def frozen_copy(self) -> HuggingFaceModel:
        other = copy.copy(self)
        other.network = copy.deepcopy(self.network).requires_grad_(False)
        return other

    def save(self, folder: str | Path) -> None:
        """Write the model to a folder: what it was made of to ``pretrained`` in it, and adapters beside that.

        A model with adapters comes back as one: the same weights frozen, the same adapters to be trained on.
        """
        path = Path(folder)
        if self.lora is None:
            self._write(self.network, path / PRETRAINED_FOLDER)
            write_description(path, "huggingface", {"dtype": self.dtype})
            return
        self._write(copy.deepcopy(self.network).unload(), path / PRETRAINED_FOLDER)
        write_model(path, "huggingface", {"dtype": self.dtype, "lora": asdict(self.lora)}, self.state())

    def export(self, folder: str | Path) -> None:
        """Write a folder as the library and servers of models read them, with adapters merged into the weights."""
        merged = self.network if self.lora is None else copy.deepcopy(self.network).merge_and_unload()
        self._write(merged, Path(folder))

    def _write(self, network: Any, folder: Path) -> None:
        building = folder.with_name(f".{folder.name}.tmp")
        shutil.rmtree(building, ignore_errors=True)
        network.save_pretrained(building)
        self._chat.library.save_pretrained(building)
        _replace_folder(building, folder)

    def _read(self, ids: Tensor, inside: Tensor, where: Tensor, hidden: bool) -> tuple[Tensor, Tensor | None]:
        output = self.network(
            input_ids=ids,
            attention_mask=inside.long(),
            logits_to_keep=where,
            output_hidden_states=hidden,
            use_cache=False,
        )
        return output.logits, output.hidden_states[-1] if hidden else None

    def _writer(self) -> _Writer:
        return _Writer(self.network, self.device)


class _Writer:
    """Writes a batch, padded on the left, with the library's cache."""

    def __init__(self, network: Any, device: torch.device) -> None:
        self._network = network
        self._device = device

    def begin(self, contexts: Sequence[IntArray], room: int) -> Tensor:
        reversed_ids, inside = padded([context[::-1] for context in contexts], self._device)
        self._inside = inside.flip(1).long()
        self._positions = (self._inside.cumsum(1) - 1).clamp(min=0)
        return self._forward(reversed_ids.flip(1), cache=None)

    def keep(self, rows: Tensor) -> None:
        self._cache.reorder_cache(rows)
        self._inside, self._positions = self._inside[rows], self._positions[rows]

    def write(self, tokens: Tensor) -> Tensor:
        self._inside = torch.cat([self._inside, torch.ones_like(self._inside[:, :1])], dim=1)
        self._positions = self._positions[:, -1:] + 1
        return self._forward(tokens.unsqueeze(1), cache=self._cache)

    def _forward(self, ids: Tensor, cache: Any) -> Tensor:
        output = self._network(
            input_ids=ids,
            attention_mask=self._inside,
            position_ids=self._positions,
            cache=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache = output.cache
        logits: Tensor = output.logits[:, -1]
        return logits


def load_huggingface(folder: Path, settings: Mapping[str, Any], device: str | torch.device) -> HuggingFaceModel:
    """Return a model that `HuggingFaceModel.save` wrote.

    Raises:
        ValueError: the files do not belong together.
        ImportError: a library that it needs is not installed.
    """
    if "dtype" not in settings or not settings.keys() <= {"dtype", "lora"}:
        raise ValueError(f"{folder}: expected dtype and lora of a Hugging Face model, got {sorted(settings)}")
    try:
        lora = LoraSettings(**settings["lora"]) if "lora" in settings else None
    except TypeError as error:
        raise ValueError(f"{folder}: lora={settings['lora']!r}: {error}") from error
    model = HuggingFaceModel(
        folder / PRETRAINED_FOLDER, device=device, dtype=settings["dtype"], lora=lora, local_files_only=True
    )
    if lora is not None:
        model.restore(read_weights(folder))
    return model


def _pretrained(name: str, dtype: str, local_files_only: bool) -> tuple[Any, Any]:
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise missing_extra("a Hugging Face model", "transformers") from error
    options: dict[str, Any] = {"local_files_only": local_files_only, "trust_remote_code": False}
    if name.endswith(".gguf"):
        file = Path(name)
        options["gguf_file"] = file.name
        name = str(file.parent)
    tokenizer = AutoTokenizer.from_pretrained(name, **options)
    network = AutoModelForCausalLM.from_pretrained(name, dtype=getattr(torch, dtype), use_safetensors=True, **options)
    return _plain(network) if "gguf_file" in options else network, tokenizer


def _stops(network: Any) -> list[int]:
    """Return the tokens at which a model is said to stop: none, one, or several."""
    stops = getattr(network.generation_config, "eos_token_id", None)
    return [] if stops is None else [int(stop) for stop in (stops if isinstance(stops, list) else [stops])]


def _plain(network: Any) -> Any:
    """Return a model without the traces of the quantised file that it came from, so that it can be saved."""
    config = copy.deepcopy(network.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = type(network)(config).to(network.dtype)
    plain.load_state_dict(network.state_dict())
    return plain


def _adapted(network: Any, settings: LoraSettings, seed: int) -> Any:
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise missing_extra("a low-rank adapter", "peft") from error
    config = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return get_peft_model(network, config)


def _replace_folder(new: Path, target: Path) -> None:
    """Put a finished folder in the place of another; a killed process leaves at least one of them whole."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)
