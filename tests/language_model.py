"""Language models small enough to fit in seconds: what folders of pretrained ones look like."""

import atexit
import json
import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

SENTENCES = [
    f"{opening} the {colour} {animal} {doing} {where}"
    for opening in ("where does", "why did", "see how")
    for colour in ("red", "green", "old")
    for animal in ("cat", "dog", "fox")
    for doing in ("sleep", "run", "sing")
    for where in ("at home", "in the sea", "on a hill")
]


def kept_till_the_end(name) -> Path:
    """A new folder, which is gone when the process ends."""
    folder = Path(mkdtemp(prefix=f"augsynth-tiny-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def taught(make, steps, lr, loss_of):
    """A model of random weights by ``make()``, after some steps on what ``loss_of(model)`` draws."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make()
        optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
        for _ in range(steps):
            loss = loss_of(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def some_sentences(n):
    import torch

    return [SENTENCES[i] for i in torch.randint(len(SENTENCES), (n,)).tolist()]


@lru_cache(maxsize=1)
def tiny_model() -> Path:
    """The folder of a causal language model of 2 layers, taught to write lists of the sentences above."""
    import torch
    from augsynth_transformers.library import import_transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    transformers = import_transformers()
    folder = kept_till_the_end("model")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "</s>"], initial_alphabet=letters, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    # no token for padding, as of many base models
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    wrapped.save_pretrained(folder)
    config = transformers.LlamaConfig(
        vocab_size=len(wrapped),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=0,
        eos_token_id=1,
    )

    def loss_of(model):
        order = torch.randint(len(SENTENCES), (16, 6)).tolist()
        texts = ["".join(f"- {SENTENCES[i]}\n" for i in row) for row in order]
        ids = torch.tensor([wrapped(text)["input_ids"][:64] for text in texts])
        return model(input_ids=ids, labels=ids).loss

    model = taught(lambda: transformers.LlamaForCausalLM(config), 80, 3e-3, loss_of)
    model.save_pretrained(folder)
    return folder


@lru_cache(maxsize=1)
def tiny_masked_model() -> Path:
    """The folder of a masked language model (BERT) of 2 layers, taught to fill in words of the sentences above."""
    import torch
    from augsynth_transformers.library import import_transformers

    transformers = import_transformers()
    folder = kept_till_the_end("masked")
    words = sorted({word for text in SENTENCES for word in text.split()})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    tokenizer = transformers.BertTokenizer(str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
    )

    def loss_of(model):
        given = tokenizer(some_sentences(32), return_tensors="pt", padding=True)
        labels = given["input_ids"].clone()
        hidden = (torch.rand(labels.shape) < 0.2) & (labels > 4)
        given["input_ids"][hidden] = tokenizer.mask_token_id
        return model(**given, labels=labels.masked_fill(~hidden, -100)).loss

    model = taught(lambda: transformers.BertForMaskedLM(config), 150, 3e-3, loss_of)
    model.save_pretrained(folder)
    return folder


@lru_cache(maxsize=1)
def tiny_translator() -> Path:
    """The folder of a MarianMT of 2 layers, which was taught to say a sentence of the above once more."""
    import sentencepiece
    from augsynth_transformers.library import import_transformers

    transformers = import_transformers()
    folder = kept_till_the_end("marian")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_prefix=str(folder / "source"),
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    shutil.copy(folder / "source.model", folder / "target.spm")
    (folder / "source.model").rename(folder / "source.spm")
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "source.spm"))
    known = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
    names = ["</s>", "<unk>", *(one for one in known if one not in ("<s>", "</s>", "<unk>")), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}))
    tokenizer = transformers.MarianTokenizer(
        str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json")
    )
    tokenizer.save_pretrained(folder)
    pad = tokenizer.pad_token_id
    config = transformers.MarianConfig(
        vocab_size=len(names),
        d_model=48,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=96,
        decoder_ffn_dim=96,
        max_position_embeddings=64,
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
        forced_eos_token_id=0,
        dropout=0.0,
    )

    def loss_of(model):
        given = tokenizer(some_sentences(32), return_tensors="pt", padding=True)
        return model(**given, labels=given["input_ids"].masked_fill(given["input_ids"] == pad, -100)).loss

    model = taught(lambda: transformers.MarianMTModel(config), 250, 4e-3, loss_of)
    model.save_pretrained(folder)
    return folder
