"""A language model small enough to fit in a second: what a folder of a pretrained one looks like."""

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


@lru_cache(maxsize=1)
def tiny_model() -> Path:
    """The folder of a causal language model of 2 layers, taught to write lists of the sentences above."""
    import torch
    from augsynth_transformers.library import import_transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    transformers = import_transformers()
    folder = Path(mkdtemp(prefix="augsynth-tiny-model-"))
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
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.LlamaForCausalLM(config)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(80):
            order = torch.randint(len(SENTENCES), (16, 6)).tolist()
            texts = ["".join(f"- {SENTENCES[i]}\n" for i in row) for row in order]
            ids = torch.tensor([wrapped(text)["input_ids"][:64] for text in texts])
            loss = model(input_ids=ids, labels=ids).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.save_pretrained(folder)
    return folder
