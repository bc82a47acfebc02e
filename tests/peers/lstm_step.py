#!/usr/bin/env python3
"""Seconds of a training step of a language model over PyTorch's nn.LSTM on the CPU: the peer of pretraining `encoder: lstm`.

Tied softmax over the vocabulary, every next token predicted, AdamW, the gradient clipped to norm 1, no dropout, as
bertbench's has. Prints a line a step, and tokens a second of the median step.
"""
import argparse
import statistics
import time

import torch


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("batch", "length", "layers", "hidden", "vocabulary", "steps", "threads"):
        parser.add_argument(name, type=int)
    return parser.parse_args()


class LanguageModel(torch.nn.Module):
    def __init__(self, asked):
        super().__init__()
        self.words = torch.nn.Embedding(asked.vocabulary, asked.hidden)
        self.lstm = torch.nn.LSTM(asked.hidden, asked.hidden, asked.layers, batch_first=True)
        self.bias = torch.nn.Parameter(torch.zeros(asked.vocabulary))

    def forward(self, tokens):
        states = self.lstm(self.words(tokens[:, :-1]))[0].flatten(0, 1)
        logits = torch.nn.functional.linear(states, self.words.weight, self.bias)
        return torch.nn.functional.cross_entropy(logits, tokens[:, 1:].flatten())


def main():
    asked = arguments()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    model = LanguageModel(asked).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    tokens = torch.randint(asked.vocabulary, (asked.batch, asked.length))
    seconds = []
    for step in range(1, asked.steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = model(tokens)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seconds.append(time.perf_counter() - start)
        print(f"step {step}: loss {loss.item():.4f}, seconds {seconds[-1]:.4f}", flush=True)
    print(f"{asked.batch * asked.length / statistics.median(seconds):.0f} tokens/s")


if __name__ == "__main__":
    main()
