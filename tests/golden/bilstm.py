#!/usr/bin/env python3
"""Writes tests/golden/bilstm.json: a bidirectional LSTM of two layers over ragged sequences, by PyTorch.

    pip install torch==2.15.0
    python tests/golden/bilstm.py [FILE]

hidden, offsets   width of each direction; where the sequences begin among the tokens, and where they end
inputs            [tokens, inputs], the sequences one after the other
weights           of nn.LSTM, by its names, flattened; rows are outputs
outputs           [tokens, 2 x hidden], through pack_padded_sequence
loss_weights      the same shape: the loss is the sum of outputs x loss_weights
gradients         of the loss, by the names of the weights, and as `inputs`

Weights and inputs are float32 numbers; what is computed from them is computed in float64. The second sequence has
one token, and the longest one is not the first.
"""
import json
import pathlib
import sys

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

INPUTS, HIDDEN, LAYERS = 5, 4, 2
LENGTHS = [4, 1, 7, 3]

torch.set_num_threads(1)
torch.manual_seed(7)
lstm = torch.nn.LSTM(INPUTS, HIDDEN, LAYERS, batch_first=True, bidirectional=True)
# Wider than at first, so that the gates leave their linear range.
for parameter in lstm.parameters():
    torch.nn.init.normal_(parameter, std=0.7)
lstm = lstm.double()
inputs = torch.randn(sum(LENGTHS), INPUTS).double().requires_grad_()
loss_weights = torch.randn(sum(LENGTHS), 2 * HIDDEN).double()

padded = pad_sequence(inputs.split(LENGTHS), batch_first=True)
packed = pack_padded_sequence(padded, LENGTHS, batch_first=True, enforce_sorted=False)
read, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True)
outputs = torch.cat([sequence[:length] for sequence, length in zip(read, LENGTHS)])
(outputs * loss_weights).sum().backward()


def flat(tensor):
    return [float(f"{number:.9g}") for number in tensor.detach().flatten().tolist()]


golden = {
    "torch": torch.__version__.split("+")[0],
    "hidden": HIDDEN,
    "offsets": [sum(LENGTHS[:count]) for count in range(len(LENGTHS) + 1)],
    "inputs": flat(inputs),
    "weights": {name: flat(parameter) for name, parameter in lstm.named_parameters()},
    "outputs": flat(outputs),
    "loss_weights": flat(loss_weights),
    "gradients": {name: flat(parameter.grad) for name, parameter in lstm.named_parameters()}
    | {"inputs": flat(inputs.grad)},
}
file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
file.write_text("{\n" + lines + "\n}\n")
