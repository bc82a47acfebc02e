#!/usr/bin/env python3
"""Writes tests/golden/openai_gpt_pretraining.json: the small GPT of openai_gpt/ pretrained further, by transformers.

    pip install torch==2.15.0 transformers==5.23.0
    python tests/golden/openai_gpt_pretraining.py [FILE]

batches    for each of 20 steps, sequences of token ids without special tokens
losses     the mean loss of their next tokens before each step, by OpenAIGPTLMHeadModel, in float32 and without dropout
...        the settings of AdamW, warmup and linear decay
held_out   sequences, and `held_out_loss` the same loss of them after the last step
"""
import json
import pathlib
import random
import sys

import torch
import transformers
from transformers import OpenAIGPTLMHeadModel, get_linear_schedule_with_warmup

HERE = pathlib.Path(__file__).parent
VOCABULARY, LONGEST, BATCH = 300, 24, 4
STEPS, WARMUP, RATE, WEIGHT_DECAY, CLIP_NORM, EPSILON = 20, 2, 3e-2, 0.01, 1.0, 1e-8

torch.set_num_threads(1)
draws = random.Random(8)


def sequence():
    """Numbers that mostly go on from the last one, so that there is something to learn."""
    ids = [draws.randrange(VOCABULARY)]
    while len(ids) < LONGEST and (len(ids) < 2 or draws.random() < 0.93):
        ids.append((ids[-1] + draws.choice([1, 1, 1, 7])) % VOCABULARY)
    return ids


def loss_of(model, rows):
    longest = max(map(len, rows))
    pad = lambda fill: torch.tensor([row + [fill] * (longest - len(row)) for row in rows])
    return model(input_ids=pad(0), labels=pad(-100)).loss


model = OpenAIGPTLMHeadModel.from_pretrained(HERE / "openai_gpt").eval()
named = list(model.named_parameters())
groups = [{"params": [p for _, p in named if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
          {"params": [p for _, p in named if p.dim() == 1], "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.999), eps=EPSILON)
schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
batches, losses = [[sequence() for _ in range(BATCH)] for _ in range(STEPS)], []
for rows in batches:
    model.zero_grad()
    loss = loss_of(model, rows)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
held_out = [sequence() for _ in range(BATCH)]
golden = {
    "torch": torch.__version__.split("+")[0], "transformers": transformers.__version__,
    "learning_rate": RATE, "warmup_steps": WARMUP, "weight_decay": WEIGHT_DECAY, "clip_norm": CLIP_NORM,
    "epsilon": EPSILON, "batches": batches, "losses": losses,
    "held_out": held_out, "held_out_loss": loss_of(model, held_out).item(),
}
file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).with_suffix(".json")
file.write_text("{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()) + "\n}\n")
print(losses[0], losses[-1], golden["held_out_loss"])
