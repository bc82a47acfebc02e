#!/usr/bin/env python3
"""Writes tests/golden/openai_gpt/ and openai_gpt_tuning/: a small GPT with random weights, by transformers.

    pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3
    python tests/golden/openai_gpt.py [--out DIR]

openai_gpt/          vocab.json, merges.txt, config.json and model.safetensors as OpenAIGPTLMHeadModel keeps them;
                     forward.safetensors with the states after the embeddings and each layer as `hidden.N`
                     [tokens, hidden]; expected.json with texts and their ids by OpenAIGPTTokenizer, the sequences
                     of the forward pass, and the loss of their next tokens
openai_gpt_tuning/   the same model with rows for the tokens that fine-tuning adds (start, delimiter, classification)
                     and a head on the last token's state, and in expected.json examples and the loss of each of 100
                     steps of AdamW without dropout, in the order of bert_batches.json
"""
import argparse
import json
import math
import pathlib

import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from tokenizers import models, normalizers, pre_tokenizers, trainers
from transformers import OpenAIGPTConfig, OpenAIGPTLMHeadModel, OpenAIGPTTokenizer, get_linear_schedule_with_warmup

from bert import BATCHES, CLIP_NORM, EPSILON, HERE, SENTENCES, WARMUP_FRACTION, WEIGHT_DECAY
from tokens.lines import fragments

ADDED = ("_start_", "_delimiter_", "_classify_")
VOCABULARY, POSITIONS, RATE = 300, 48, 1e-3
VERSIONS = {"torch": torch.__version__, "transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
HARD = ["", " ", "The ferry's leaving!", "UPPER lower MiXeD", "naïve café ÀÉÎÕÜ ß ǅ", "中文 and 日本語", "a\tb\nc\r\nd",
        "under_score-hyphen—dash", "3.14159 x 10^-7 = ?", "<unk> </w> a</w>", "_start_ is a word, _classify_ another",
        "\u200bzero\u00a0width\u2028lines", "🦀 crabs 👩‍👩‍👧", "ﬁ ligature", "e\u0301 combining", "x" * 300,
        "don't won't can't", "[CLS] [SEP] ##a"]


def vocabulary(folder):
    """A byte-pair vocabulary of the sentences and no more: much else is unknown to it."""
    trained = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    trained.normalizer = normalizers.BertNormalizer(lowercase=True)
    trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<unk>"], end_of_word_suffix="</w>",
                                  show_progress=False)
    trained.train_from_iterator([text for pair in SENTENCES for text in pair], trainer)
    trained.model.save(str(folder))
    merges = (folder / "merges.txt").read_text().splitlines()[1:]
    vocab = json.loads((folder / "vocab.json").read_text())
    return OpenAIGPTTokenizer(vocab=vocab, merges=[tuple(merge.split(" ")) for merge in merges])


def small_model(size):
    torch.manual_seed(31)
    config = OpenAIGPTConfig(vocab_size=size, n_positions=POSITIONS, n_embd=24, n_layer=3, n_head=3,
                             initializer_range=0.3, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    model = OpenAIGPTLMHeadModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def padded(rows, fill=0):
    longest = max(map(len, rows))
    return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])


def language_model(folder, model, tokenizer):
    sequences = [tokenizer(first)["input_ids"][:POSITIONS] for first, _ in SENTENCES[:4]]
    result = model(input_ids=padded(sequences), labels=padded(sequences, -100), output_hidden_states=True)
    states = {f"hidden.{layer}": torch.cat([state[i, :len(row)] for i, row in enumerate(sequences)])
              for layer, state in enumerate(result.hidden_states)}
    save_file({name: state.detach().contiguous() for name, state in states.items()}, folder / "forward.safetensors")
    texts = HARD + [fragment for fragment in fragments() if fragment.isprintable()][:400]
    expected = {"versions": VERSIONS, "texts": texts, "ids": [tokenizer(text)["input_ids"] for text in texts],
                "sequences": sequences, "loss": result.loss.item()}
    (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


class Tuned(torch.nn.Module):
    def __init__(self, model, size):
        super().__init__()
        model.resize_token_embeddings(size + len(ADDED), mean_resizing=False)
        self.transformer, self.classifier = model.transformer, torch.nn.Linear(model.config.n_embd, 2)
        with torch.no_grad():
            self.transformer.tokens_embed.weight[size:].normal_(0.0, 0.3)

    def loss(self, rows, labels):
        states = self.transformer(input_ids=padded(rows)).last_hidden_state
        last = states[torch.arange(len(rows)), torch.tensor([len(row) - 1 for row in rows])]
        return torch.nn.functional.cross_entropy(self.classifier(last), torch.tensor(labels))


def tuning(folder, model, tokenizer, size):
    start, delimiter, classify = range(size, size + 3)
    torch.manual_seed(32)
    tuned = Tuned(model, size)
    config = model.config.to_dict() | {"architectures": ["OpenAIGPTForSequenceClassification"],
                                       "bertbench_special_tokens": 3}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    weights = {name.removeprefix("transformer."): tensor.contiguous() for name, tensor in tuned.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    def encoded(text, room):
        return tokenizer(text)["input_ids"][:room]
    ids = [[start, *encoded(a, 20), delimiter, *encoded(b, 20), classify] for a, b in SENTENCES]
    labels = [index * 7 % 3 % 2 for index in range(len(ids))]
    batches = [batch for epoch in BATCHES["epochs"] for batch in epoch]
    named = list(tuned.named_parameters())
    groups = [{"params": [p for _, p in named if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
              {"params": [p for _, p in named if p.dim() == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.999), eps=EPSILON["adamw"])
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(len(batches) * WARMUP_FRACTION), len(batches))
    losses = []
    for batch in batches:
        tuned.zero_grad()
        loss = tuned.loss([ids[i] for i in batch], [labels[i] for i in batch])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tuned.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    expected = {"versions": VERSIONS, "ids": ids, "labels": labels, "learning_rate": RATE,
                "weight_decay": WEIGHT_DECAY, "clip_norm": CLIP_NORM, "warmup_fraction": WARMUP_FRACTION,
                "epsilon": EPSILON["adamw"], "losses": losses}
    (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
    print(f"losses {losses[0]:.4f} to {losses[-1]:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folders = [out / name for name in ("openai_gpt", "openai_gpt_tuning")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    tokenizer = vocabulary(folders[0])
    size = len(json.loads((folders[0] / "vocab.json").read_text()))
    model = small_model(size)
    model.save_pretrained(folders[0])
    (folders[0] / "generation_config.json").unlink(missing_ok=True)
    language_model(folders[0], model, tokenizer)
    tuning(folders[1], model, tokenizer, size)


if __name__ == "__main__":
    main()
