"""Pretrained language models as generators: the contract, their prompts, and what goes wrong with models."""

import copy
import json
import pickle
import shutil
import warnings

import pytest
import torch
from augsynth_transformers import base
from augsynth_transformers.flaws import flaw_of
from augsynth_transformers.lora import LoRA
from augsynth_transformers.prefixes import Prefixes
from augsynth_transformers.prompted import Prompted
from augsynth_transformers.template import Template

import augsynth
from augsynth.testing import checks
from tests.language_model import SENTENCES, tiny_model

pytestmark = pytest.mark.filterwarnings("ignore::augsynth.AugsynthWarning")
NAMES = ("even", "odd")
DATA = [(text, NAMES[i % 2]) for i, text in enumerate(SENTENCES[:40])]


def with_tiny_model(settings_from):
    def settings(cls, data, config):
        return {**settings_from.__func__(cls, data, {"model": str(tiny_model()), **config}), "model": str(tiny_model())}

    return classmethod(settings)


class TinyPrompted(Prompted):
    settings_from = with_tiny_model(Prompted.settings_from)


class TinyLoRA(LoRA):
    settings_from = with_tiny_model(LoRA.settings_from)


@pytest.mark.parametrize("generator", [TinyPrompted, TinyLoRA], ids=["transformers", "lora"])
@pytest.mark.parametrize("check", checks("generator"), ids=lambda check: check.__name__)
def test_they_keep_what_generators_promise(generator, check):
    check(generator)


def prompted(data=DATA, **config):
    return augsynth.fit("transformers", data, model=str(tiny_model()), progress=False, **config)


@pytest.fixture(scope="module")
def gen():
    return prompted()


@pytest.fixture(scope="module")
def lora():
    return augsynth.fit("lora", DATA, model=str(tiny_model()), steps=40, lr=5e-3, progress=False)


def test_texts_are_like_the_real_ones_and_no_copies(gen):
    made = list(gen.sample(24, seed=0).x)
    known = {word for text in SENTENCES for word in text.split()}
    right = [text for text in made if set(text.split()) <= known]
    assert len(right) >= 20 and len(set(made)) >= 18
    assert not set(made) & {text for text, _ in DATA}


def test_a_prompt_is_data(gen):
    described = {"even": "sentences of an even number"}
    own = prompted(descriptions=described, template={"header": "Some {label}:\n", "example": "* {text}"}, examples=2)
    ids, head, _ = own._prompt(0, -1, 0)
    text = own.tokenizer.decode(ids)
    assert head == "Some sentences of an even number:\n" and text.startswith(head) and text.endswith("\n*")
    lines = text.splitlines()[1:-1]
    assert len(lines) == 2 and {line.removeprefix("* ") for line in lines} <= {t for t, y in DATA if y == "even"}
    assert own._prompt(1, -1, 0)[1] == 'Some texts of the kind "odd":\n'
    assert len({gen._prompt(0, -1, k)[0] for k in range(gen.prompts)}) == gen.prompts


def test_topics_stand_in_the_prompt():
    own = prompted(topics=[("sea", "hill")["hill" in text] for text, _ in DATA])
    head = own._prompt(0, 0, 0)[1]
    assert head.endswith(f", on the topic of {own.spec.topics.names[0]}:\n")
    assert all("{" not in own._prompt(c, t, 0)[1] for c in range(2) for t in range(2))


def test_what_was_read_is_repeated_and_says_the_same(gen):
    prompts = [gen._prompt(c, -1, k)[0] for c in range(2) for k in range(3)]
    rows = [prompts[i] for i in (4, 0, 4, 2, 5, 1, 3, 0)]
    with torch.no_grad():
        kept = Prefixes(gen.network, gen.width)
        kept.of(prompts[:2])
        cache, logits, mask = kept.of(rows)
        for row, prompt in enumerate(rows):
            alone = gen.network(input_ids=torch.tensor([prompt])).logits[0, -1]
            assert torch.allclose(logits[row], alone, atol=1e-4) and int(mask[row].sum()) == len(prompt)
        following = torch.full((len(rows), 1), 7)
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], 1)
        said = gen.network(
            input_ids=following, attention_mask=mask, position_ids=mask.sum(1, keepdim=True) - 1, past_key_values=cache
        ).logits[:, -1]
        for row, prompt in enumerate(rows):
            alone = gen.network(input_ids=torch.tensor([[*prompt, 7]])).logits[0, -1]
            assert torch.allclose(said[row], alone, atol=1e-4)


def test_a_checkpoint_names_its_base_and_tells_of_real_texts(gen, lora, tmp_path):
    gen.save(tmp_path / "prompted")
    lora.save(tmp_path / "lora")
    base_bytes = (tiny_model() / "model.safetensors").stat().st_size
    for name, made in (("prompted", gen), ("lora", lora)):
        folder = tmp_path / name
        assert (folder / "model.safetensors").stat().st_size < base_bytes / 2
        told = json.loads((folder / "generator.json").read_text())["config"]
        assert told["model"] == str(tiny_model()) and told["digest"] == base.fingerprint(tiny_model())
        again = augsynth.load(folder)
        assert list(again.sample(6, seed=3).x) == list(made.sample(6, seed=3).x)
    assert "holds real samples" in (tmp_path / "prompted" / "README.md").read_text()
    assert "holds no training sample" in (tmp_path / "lora" / "README.md").read_text()
    assert gen.fit_info["prompts"]["real texts"] == 40
    assert not any(text in (tmp_path / "lora" / "generator.json").read_text() for text, _ in DATA)


def test_another_base_is_noticed(gen, tmp_path, monkeypatch):
    moved = tmp_path / "models" / tiny_model().name
    shutil.copytree(tiny_model(), moved)
    gen.save(tmp_path / "gen")
    file = tmp_path / "gen" / "generator.json"
    monkeypatch.setattr(base, "find", lambda model: moved)
    assert augsynth.load(tmp_path / "gen").folder == moved
    settings = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(json.dumps({**settings, "rope_theta": 5.0}))
    with pytest.raises(augsynth.CheckpointError, match="is another model than the one that this generator"):
        augsynth.load(tmp_path / "gen")
    assert file.exists()


def test_a_base_is_found_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGSYNTH_MODELS", str(tiny_model().parent))
    assert base.find(f"/not/here/{tiny_model().name}") == tiny_model()
    with pytest.raises(augsynth.ConfigError, match="no such folder or file here, nor 'nowhere'"):
        base.find("/not/here/nowhere")


def test_a_name_on_the_hub_is_downloaded(monkeypatch):
    import huggingface_hub

    asked = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: asked.append(name) or str(tiny_model()))
    assert base.find("someone/tiny-model") == tiny_model() and asked == ["someone/tiny-model"]


def test_the_adapter_learns(lora):
    first, last = lora.fit_info["history"][0]["loss"], lora.fit_info["history"][-1]["loss"]
    assert last < first
    assert all(
        parameter.requires_grad is False for parameter in base.loaded(str(tiny_model()), "float32")[1].parameters()
    )
    # learnt: real texts are likelier than they were to the model as it came
    fresh = augsynth.fit("lora", DATA, model=str(tiny_model()), steps=1, lr=1e-9, progress=False)
    texts, labels = [t for t, _ in DATA[:10]], [y for _, y in DATA[:10]]
    assert lora.log_prob(texts, labels).mean() > fresh.log_prob(texts, labels).mean()


def test_a_fit_of_an_adapter_goes_on_where_it_was(tmp_path):
    def stop(step, losses):
        raise KeyboardInterrupt

    options = {"model": str(tiny_model()), "lr": 5e-3, "steps": 40, "progress": False, "seed": 1}
    whole = augsynth.fit("lora", DATA, **options)
    part = augsynth.fit("lora", DATA, checkpoint_dir=tmp_path / "go", callback=stop, **options)
    assert part.fit_info["steps"] == 20
    again = augsynth.fit("lora", DATA, checkpoint_dir=tmp_path / "go", resume=True, **options)
    assert again.fit_info["steps"] == 40
    for name, one in whole.state_dict().items():
        assert torch.equal(one, again.state_dict()[name]), name


def test_copies_in_memory_and_in_other_processes(gen, lora):
    for made in (gen, lora):
        expected = list(made.sample(3, seed=5).x)
        assert list(pickle.loads(pickle.dumps(made)).sample(3, seed=5).x) == expected
        assert list(copy.deepcopy(made).sample(3, seed=5).x) == expected
    assert len(pickle.dumps(gen)) < 100_000


def test_options_of_sampling(gen):
    assert list(gen.sample(2, labels="even", seed=0, temperature=0.3, top_k=None, top_p=0.5).x)
    assert all(len(gen.tokenizer(text)["input_ids"]) <= 4 for text in gen.sample(4, seed=0, max_length=3).x)
    for options, message in (
        ({"top_k": 0}, "top_k=0"),
        ({"max_length": True}, "max_length=True"),
        ({"top_p": 2}, "top_p=2"),
    ):
        with pytest.raises(augsynth.ConfigError, match=message):
            gen.sample(2, **options)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "empty"),
        ("... ?", "empty"),
        ("A list of different examples of cats and more", "prompt"),
        ("so so so so it is", "loop"),
        ("we go on and we go on and we go on and we go on and", "loop"),
        ("where does the red cat sleep at home ?", "copy"),
        ("where does the red cat sing at sea", None),
        ("no no no", None),
    ],
)
def test_what_is_no_text(text, flaw):
    assert flaw_of(text, "A list of different examples of cats:", ["Where does the red cat sleep at home"]) == flaw


class Silent:
    """A tokenizer to which whatever a model says is nothing."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def __call__(self, *args, **options):
        return self.inner(*args, **options)

    def decode(self, *args, **options):
        return "\n"


def test_a_model_that_says_nothing_is_named(monkeypatch):
    mute = prompted()
    assert mute.prefixes.width == mute.width  # read with the tokenizer as it is
    tokenizer, model = base.loaded(str(tiny_model()), "float32")
    monkeypatch.setattr(base, "loaded", lambda *_: (Silent(tokenizer), model))
    with pytest.raises(augsynth.ConfigError, match=r"wrote nothing 5 times in a row for 3 of 3 texts"):
        mute.sample(3, seed=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"headr": "x"}, "no part 'headr'; did you mean 'header'"),
        ({"header": "Texts:\n"}, r"header='Texts:\\n' has no {label}"),
        ({"example": "- "}, "has no {text}"),
        ({"example": "- {text} {more}"}, r"has {more}; known: \['text'\]"),
        ({"example": "{text}."}, "must end in {text}"),
        ({"header": "{label"}, "cannot be read"),
        ({"stop": ""}, "stop is empty"),
        ({"stop": 3}, "stop is 3, expected a str"),
    ],
)
def test_bad_templates(given, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        Template.of(given, labelled=True, topics=False)


def test_names_that_say_nothing_are_told():
    data = [(text, i % 2) for i, text in enumerate(SENTENCES[:20])]
    with warnings.catch_warnings():
        warnings.simplefilter("error", augsynth.FitWarning)
        with pytest.raises(augsynth.FitWarning, match="the name of class '0' says nothing"):
            prompted(data)
        prompted(data, descriptions={"0": "even ones", "1": "odd ones"})
    with pytest.raises(augsynth.ConfigError, match="since there are no examples"):
        prompted(data, examples=0)
    with pytest.raises(augsynth.ConfigError, match="no class 'evn'; did you mean 'even'"):
        prompted(descriptions={"evn": "even ones"})


def test_a_prompt_that_does_not_fit():
    with pytest.raises(
        augsynth.ConfigError, match=r"the longest prompt has \d+ tokens and a text up to \d+, .* sees 512"
    ):
        prompted(longest=500)


def broken(tmp_path, change):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model(), folder)
    change(folder)
    return str(folder)


def truncated(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def sharded(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def outside(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../other.safetensors"}}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "holds no tokenizer"),
        (truncated, "damaged or half downloaded"),
        (pickled, "pytorch_model.bin is a pickle"),
        (sharded, "00002-of-00002.safetensors is missing"),
        (outside, "names files outside of its folder"),
    ],
)
def test_a_model_that_is_not_there_in_full(tmp_path, change, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.fit("transformers", DATA, model=broken(tmp_path, change), progress=False)


@pytest.mark.parametrize(
    ("model", "message"),
    [("", "model='': expected a folder"), ("no/such/folder", "no such folder"), (__file__, "ends in .gguf")],
)
def test_what_is_no_model(model, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        augsynth.fit("lora", DATA, model=model, progress=False)
