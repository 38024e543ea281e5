import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from coopgym.algorithms.llm.models.loading import load_model
from coopgym.algorithms.llm.models.sampling import Generation
from coopgym.algorithms.llm.models.small import SmallModel, SmallSettings
from coopgym.digests import DIGESTS_FILE
from coopgym.typing import IntArray

TINY = SmallSettings(layers=2, width=16, heads=2, context=24)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def model() -> SmallModel:
    return SmallModel(TINY, seed=3)


def texts(model: SmallModel, *texts: str) -> list[IntArray]:
    return [np.array(model.tokenizer.encode(text), dtype=np.int64) for text in texts]


def write(model: SmallModel, contexts: Sequence[IntArray], seeds: Sequence[int], **options: float) -> list[Generation]:
    uniforms = [np.random.default_rng(seed) for seed in seeds]
    return model.generate(contexts, max_tokens=8, uniforms=uniforms, **options)


def whole(contexts: Sequence[IntArray], written: Sequence[Generation]) -> list[IntArray]:
    return [np.concatenate([context, part.ids]) for context, part in zip(contexts, written, strict=True)]


def test_log_probabilities_of_sampling_are_those_of_scoring(model: SmallModel) -> None:
    contexts = texts(model, "level .60?", "x", "level .60?", "a longer context 0123")
    written = write(model, contexts, range(4), temperature=0.7)
    scores = model.score(whole(contexts, written), temperature=0.7)
    for context, part, logp in zip(contexts, written, scores.logp.detach().numpy(), strict=True):
        assert logp[len(context) : len(context) + len(part.ids)] == pytest.approx(part.logp, abs=1e-5)
    assert len(written[3].ids) == 3  # the context of 24 tokens was full


def test_a_sequence_depends_on_its_own_generator_only(model: SmallModel) -> None:
    contexts = texts(model, "level .60?", "other", "level .60?")
    together = write(model, contexts, [5, 6, 5])
    alone = write(model, contexts[:1], [5])
    assert together[0].ids.tolist() == together[2].ids.tolist() == alone[0].ids.tolist()


def test_sequences_may_have_budgets_of_their_own(model: SmallModel) -> None:
    contexts = texts(model, "one", "two", "three")
    long = write(model, contexts, range(3))
    uniforms = [np.random.default_rng(seed) for seed in range(3)]
    short = model.generate(contexts, max_tokens=[3, 0, 8], uniforms=uniforms)
    assert [part.ids.tolist() for part in short] == [long[0].ids[:3].tolist(), [], long[2].ids.tolist()]


def test_the_end_token_stops_a_sequence(model: SmallModel) -> None:
    end = model.tokenizer.end
    contexts = texts(model, "a", "b")
    written = write(model, contexts, range(2))
    assert not any(part.stopped for part in written)
    with torch.no_grad():
        model.state()["embedding"][end] = model.score(contexts[:1], hidden=True).hidden[0, -1] * 10.0
    first, second = write(model, contexts, range(2))
    assert first.stopped
    assert first.ids.tolist() == [end]
    assert second.stopped == (second.ids[-1] == end)


def test_temperature_zero_takes_the_likeliest_token(model: SmallModel) -> None:
    contexts = texts(model, "level")
    (part,) = model.generate(contexts, max_tokens=1, temperature=0.0)
    options = [np.append(contexts[0], token) for token in range(model.tokenizer.size)]
    assert int(model.score(options).logp[:, -1].argmax()) == part.ids[0]


def test_scores_are_those_of_a_distribution(model: SmallModel) -> None:
    options = [np.array([65, 66, token]) for token in range(model.tokenizer.size)]
    with torch.no_grad():
        scores = model.score(options)
    probabilities = scores.logp[:, 2].exp()
    assert float(probabilities.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(scores.entropy[0, 2]) == pytest.approx(-float((probabilities * probabilities.log()).sum()), abs=1e-4)
    assert (scores.logp[:, 0] == 0.0).all()


def test_padding_and_neighbours_change_nothing(model: SmallModel) -> None:
    sequences = texts(model, "short", "a much longer sequence")
    together, alone = model.score(sequences, hidden=True), model.score(sequences[:1], hidden=True)
    assert together.logp[0, :5].tolist() == pytest.approx(alone.logp[0].tolist(), abs=1e-5)
    assert torch.allclose(together.hidden[0, :5], alone.hidden[0], atol=1e-5)
    assert (together.logp[0, 5:] == 0.0).all()
    assert (together.entropy[0, 5:] == 0.0).all()


def test_only_what_is_wanted_is_scored(model: SmallModel) -> None:
    sequences = texts(model, "short", "a much longer sequence")
    wanted = [np.arange(len(sequence)) % 3 == 0 for sequence in sequences]
    everything, some = model.score(sequences), model.score(sequences, where=wanted)
    for row, mask in enumerate(wanted):
        expected = np.where(mask, everything.logp[row, : len(mask)].detach().numpy(), 0.0)
        assert some.logp[row, : len(mask)].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_token_does_not_see_those_after_it(model: SmallModel) -> None:
    first, second = texts(model, "equal until here: a", "equal until here: b")
    scores = model.score([first, second])
    assert scores.logp[0, :-1].tolist() == scores.logp[1, :-1].tolist()
    assert scores.logp[0, -1] != scores.logp[1, -1]


def test_gradients_agree_with_differences(model: SmallModel) -> None:
    sequences = texts(model, "differentiate", "me")
    loss = model.score(sequences).logp.sum()
    gradients = torch.autograd.grad(loss, model.parameters())
    direction = [gradient / torch.cat([g.flatten() for g in gradients]).norm() for gradient in gradients]
    values = []
    with torch.no_grad():
        for step in (1e-2, -2e-2):
            for weight, part in zip(model.parameters(), direction, strict=True):
                weight += step * part
            values.append(float(model.score(sequences).logp.sum()))
    slope = sum(float((gradient * part).sum()) for gradient, part in zip(gradients, direction, strict=True))
    assert (values[0] - values[1]) / 2e-2 == pytest.approx(slope, rel=0.02)


def test_it_learns_a_sentence_by_heart(model: SmallModel) -> None:
    prompt, answer = texts(model, "c t03?", "submit .60")
    lesson = np.concatenate([prompt, answer, [model.tokenizer.end]])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(40):
        optimiser.zero_grad()
        (-model.score([lesson]).logp.mean()).backward()
        optimiser.step()
    (part,) = model.generate([prompt], max_tokens=15, temperature=0.0)
    assert part.stopped
    assert model.tokenizer.decode(part.ids.tolist()) == "submit .60"


def test_same_seed_same_weights() -> None:
    same, other = SmallModel(TINY, seed=1), SmallModel(TINY, seed=2)
    for name, weight in SmallModel(TINY, seed=1).state().items():
        assert torch.equal(weight, same.state()[name])
    assert not torch.equal(same.state()["embedding"], other.state()["embedding"])


def test_a_frozen_copy_stays_as_it_was(model: SmallModel) -> None:
    sequences = texts(model, "reference")
    reference = model.frozen_copy()
    before = model.score(sequences).logp.detach().clone()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1.1)
    assert torch.equal(reference.score(sequences).logp, before)
    assert not reference.score(sequences).logp.requires_grad
    assert not torch.equal(model.score(sequences).logp, before)


def test_saved_models_read_and_write_the_same(model: SmallModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    contexts = texts(model, "again")
    assert write(loaded, contexts, [1])[0].ids.tolist() == write(model, contexts, [1])[0].ids.tolist()
    assert all(weight.requires_grad for weight in loaded.parameters())


def test_restoring_keeps_the_parameters_that_an_optimiser_holds(model: SmallModel) -> None:
    held = model.parameters()
    other = SmallModel(TINY, seed=9)
    model.restore(other.state())
    assert all(a is b for a, b in zip(held, model.parameters(), strict=True))
    assert torch.equal(held[0], other.parameters()[0])


def test_weights_of_another_model_are_refused_and_nothing_changes(model: SmallModel) -> None:
    before = {name: weight.clone() for name, weight in model.state().items()}
    other = SmallModel(SmallSettings(layers=1, width=16, heads=2, context=24), seed=9)
    with pytest.raises(ValueError, match=r"weights of another model: '1\.attention\.in' has shape None"):
        model.restore(other.state())
    assert all(torch.equal(weight, before[name]) for name, weight in model.state().items())


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("model.safetensors", b"\x08", "model.safetensors is damaged"),
        ("model.json", b"{", "model.json is damaged"),
        ("model.json", b"[]", "model.json is damaged"),
        ("model.json", b'{"format": 2, "kind": "small", "settings": {}}', "format 2, kind 'small'; expected format 1"),
        ("model.json", b'{"format": 1, "kind": "small", "settings": {"size": 3}}', "model.json is damaged"),
        ("model.json", b'{"format": 1, "kind": "small", "settings": {"width": -1}}', "width=-1"),
    ],
)
def test_damaged_files_are_told(model: SmallModel, tmp_path: Path, file: str, content: bytes, message: str) -> None:
    model.save(tmp_path)
    (tmp_path / DIGESTS_FILE).unlink()  # files that their digests vouch for are not damaged
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path)


def test_weights_that_do_not_belong_to_the_description_are_told(model: SmallModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    (tmp_path / DIGESTS_FILE).unlink()
    description = json.loads((tmp_path / "model.json").read_text())
    description["settings"]["layers"] = 1
    (tmp_path / "model.json").write_text(json.dumps(description))
    with pytest.raises(ValueError, match="weights of another model"):
        load_model(tmp_path)


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no model in"):
        load_model(tmp_path)


def test_bad_requests_are_refused(model: SmallModel) -> None:
    (context,) = texts(model, "x")
    with pytest.raises(ValueError, match="sequence 1 has 0 tokens"):
        model.score([context, context[:0]])
    with pytest.raises(ValueError, match="sequence 0 has 25 tokens: the model reads between 1 and 24"):
        model.score([np.zeros(25, dtype=np.int64)])
    with pytest.raises(ValueError, match="expected tokens from 0 to 256"):
        model.score([np.array([257])])
    with pytest.raises(ValueError, match=r"masks of lengths \[2\], expected those of the sequences, \[1\]"):
        model.score([context], where=[np.ones(2, dtype=bool)])
    with pytest.raises(ValueError, match=r"temperature=0\.0: expected a finite number above 0"):
        model.score([context], temperature=0.0)
    with pytest.raises(ValueError, match="temperature=-1"):
        model.generate([context], max_tokens=1, temperature=-1.0)
    with pytest.raises(ValueError, match="max_tokens=-1: expected numbers of at least 0, one or 1 of them"):
        model.generate([context], max_tokens=-1, temperature=0.0)
    with pytest.raises(ValueError, match=r"max_tokens=\[1, 2\]"):
        model.generate([context], max_tokens=[1, 2], temperature=0.0)
    with pytest.raises(ValueError, match="none given, expected a generator for each of 1 contexts"):
        model.generate([context], max_tokens=1)


def test_heads_must_share_the_width_in_even_parts() -> None:
    with pytest.raises(ValueError, match="width=90: expected a multiple of twice the 4 heads"):
        SmallSettings(width=90)
