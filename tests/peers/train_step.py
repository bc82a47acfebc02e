#!/usr/bin/env python3
"""Seconds of a training step of transformers' BERT in PyTorch, on the CPU unless `--device` says otherwise: the peer of `bertbench bench step`.

A step is a forward pass of a classifier with dropout 0.1, a backward pass and AdamW with weight decay 0.01, on
sequences of one length without padding. The gradient is not clipped, which bertbench's is. Prints a line a step.
"""
import argparse
import time

import torch
from transformers import BertConfig, BertForSequenceClassification

MODES = {  # compiled?, bfloat16?
    "fp32": (False, False),
    "bf16": (False, True),
    "compile": (True, False),
    "compile-bf16": (True, True),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("batch", "length", "layers", "hidden", "heads", "steps"):
        parser.add_argument(name, type=int)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--device", default="cpu", help="as PyTorch names it: cpu, cuda, cuda:1, mps [default: cpu]")
    return parser.parse_args()


def classifier(asked):
    """A BERT with random weights, a feed-forward layer of four times its width, and a head for two classes."""
    return BertForSequenceClassification(BertConfig(
        num_hidden_layers=asked.layers, hidden_size=asked.hidden, num_attention_heads=asked.heads,
        intermediate_size=4 * asked.hidden, max_position_embeddings=max(512, asked.length), num_labels=2))


def random_batch(asked, vocabulary):
    shape = (asked.batch, asked.length)
    batch = {"input_ids": torch.randint(vocabulary, shape), "attention_mask": torch.ones(shape, dtype=torch.long),
             "labels": torch.randint(2, (asked.batch,))}
    return {name: numbers.to(asked.device) for name, numbers in batch.items()}


def main():
    asked = arguments()
    compiled, mixed = MODES[asked.mode]
    torch.manual_seed(0)
    model = classifier(asked).to(asked.device).train()
    forward = torch.compile(model) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01, fused=True)
    batch = random_batch(asked, model.config.vocab_size)
    for step in range(1, asked.steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(torch.device(asked.device).type, torch.bfloat16, enabled=mixed):
            loss = forward(**batch).loss
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}, seconds {time.perf_counter() - start:.4f}", flush=True)


if __name__ == "__main__":
    main()
