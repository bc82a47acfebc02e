#!/usr/bin/env python3
"""Writes tests/golden/text_pooler.json: answers to texts and pairs from the states of a frozen encoder, by PyTorch.

    pip install torch==2.15.0
    python tests/golden/text_pooler.py [FILE]

One case each for single texts with classes, pairs with classes, pairs with attention and classes, and pairs with attention
and a score. A bidirectional LSTM of two layers reads the states. With attention, each of its outputs is put beside the sum of
the other text's, weighted by the softmax of their dot products with it, and a second LSTM of one layer reads both. The maximum
over time of each text, u and v of a pair as [u; v; |u - v|; u * v], a tanh layer and a linear layer give logits.

offsets    where the texts begin among the tokens, and where they end; of a pair the second text follows the first
inputs     [tokens, inputs], the states of the texts one after the other
labels     classes, or scores
weights    by their names, flattened; rows are outputs
logits     [examples, outputs]
loss       the mean cross-entropy or squared error
gradients  of the loss, by the names of the weights, and as `inputs`

Weights and inputs are float32 numbers; what is computed from them is computed in float64. Every text is read alone, so
nothing is padded.
"""
import json
import pathlib
import sys

import torch
from torch import nn

INPUTS, HIDDEN, DENSE = 5, 4, 6
LENGTHS = [4, 1, 7, 3, 2, 5]

torch.set_num_threads(1)


def flat(tensor):
    return [float(f"{number:.9g}") for number in tensor.detach().flatten().tolist()]


def case(pairs, attention, labels, outputs):
    torch.manual_seed(11)
    width = 2 * HIDDEN
    parts = nn.ModuleDict({"lstm": nn.LSTM(INPUTS, HIDDEN, 2, batch_first=True, bidirectional=True)})
    if attention:
        parts["attention"] = nn.LSTM(2 * width, HIDDEN, 1, batch_first=True, bidirectional=True)
    parts["dense"] = nn.Linear(4 * width if pairs else width, DENSE)
    parts["head"] = nn.Linear(DENSE, outputs)
    for parameter in parts.parameters():
        nn.init.normal_(parameter, std=0.7)
    parts = parts.double()
    inputs = torch.randn(sum(LENGTHS), INPUTS).double().requires_grad_()

    states = [parts["lstm"](text[None])[0][0] for text in inputs.split(LENGTHS)]
    if attention:
        read = []
        for at, own in enumerate(states):
            other = states[at ^ 1]
            attended = torch.softmax(own @ other.T, dim=1) @ other
            read.append(parts["attention"](torch.cat([own, attended], dim=1)[None])[0][0])
        states = read
    texts = torch.stack([text.max(dim=0).values for text in states])
    if pairs:
        u, v = texts[0::2], texts[1::2]
        texts = torch.cat([u, v, (u - v).abs(), u * v], dim=1)
    logits = parts["head"](torch.tanh(parts["dense"](texts)))
    if outputs == 1:
        loss = nn.functional.mse_loss(logits[:, 0], torch.tensor(labels).double())
    else:
        loss = nn.functional.cross_entropy(logits, torch.tensor(labels))
    loss.backward()
    named = dict(parts.named_parameters())
    return {
        "labels": labels,
        "inputs": flat(inputs),
        "weights": {name: flat(parameter) for name, parameter in named.items()},
        "logits": flat(logits),
        "loss": float(f"{loss.item():.9g}"),
        "gradients": {name: flat(parameter.grad) for name, parameter in named.items()} | {"inputs": flat(inputs.grad)},
    }


golden = {
    "torch": torch.__version__.split("+")[0],
    "hidden": HIDDEN,
    "offsets": [sum(LENGTHS[:count]) for count in range(len(LENGTHS) + 1)],
    "texts": case(False, False, [2, 0, 1, 1, 0, 2], 3),
    "pairs": case(True, False, [2, 0, 1], 3),
    "attention": case(True, True, [1, 2, 0], 3),
    "score": case(True, True, [0.5, 4.75, 2.0], 1),
}
file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
file.write_text("{\n" + lines + "\n}\n")
