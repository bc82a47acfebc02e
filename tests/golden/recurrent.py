#!/usr/bin/env python3
"""Writes tests/golden/lstm/ and tests/golden/elmo/: encoders of LSTM layers with a head for three classes, by PyTorch.

    pip install torch==2.15.0 safetensors==0.8.0
    python tests/golden/recurrent.py [--out DIR]

config.json, model.safetensors   a checkpoint as bertbench keeps it, LSTM weights under the names of nn.LSTM
forward.safetensors              states after the embeddings and each layer as `hidden.N` [tokens, width], `logits`
gradients.safetensors            the gradient of the mean cross-entropy with respect to every parameter
expected.json                    ragged sequences, their labels, the loss

`lstm` reads from left to right, and its classes from the last state. `elmo` has other layers from right to left; its
classes are read off gamma times the softmax-weighted sum of all states, of each direction where it has read all.
Weights are float32 numbers; what is computed from them is computed in float64.
"""
import argparse
import json
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
VOCABULARY, POSITIONS, WIDTH, LAYERS, CLASSES = 40, 16, 6, 2, 3
LENGTHS = [4, 1, 7, 3, 12, 2]
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
NAMES = ("forward", "backward")


def parameters(directions):
    # Wider than at first, so that the gates leave their linear range.
    def drawn(*shape):
        return (0.7 * torch.randn(*shape)).double().requires_grad_()
    found = {"word_embeddings.weight": drawn(VOCABULARY, WIDTH)}
    for direction in NAMES[:directions]:
        for layer in range(LAYERS):
            for part in PARTS:
                shape = (4 * WIDTH, WIDTH) if part.startswith("weight") else (4 * WIDTH,)
                found[f"{direction}.{part}_l{layer}"] = drawn(*shape)
    if directions == 2:
        found |= {"mixture.weights": drawn(LAYERS + 1), "mixture.gamma": drawn(1)}
    return found | {"classifier.weight": drawn(CLASSES, directions * WIDTH), "classifier.bias": drawn(CLASSES)}


def read(lstm, weights, sequence):
    return torch.func.functional_call(lstm, weights, (sequence,))[0]


def states_of(of, ids, directions):
    """The state before the first layer and after each, [tokens, directions × WIDTH]."""
    lstm = torch.nn.LSTM(WIDTH, WIDTH).double()
    words = of["word_embeddings.weight"][torch.tensor(ids)]
    columns = []
    for at, direction in enumerate(NAMES[:directions]):
        state, column = (words.flip(0) if at else words), [words]
        for layer in range(LAYERS):
            weights = {f"{part}_l0": of[f"{direction}.{part}_l{layer}"] for part in PARTS}
            state = read(lstm, weights, state)
            column.append(state.flip(0) if at else state)
        columns.append(column)
    return [torch.cat(parts, dim=1) for parts in zip(*columns)]


def pooled(of, states, directions):
    if directions == 1:
        return states[-1][-1]
    shares = torch.softmax(of["mixture.weights"], 0)
    mixed = of["mixture.gamma"] * sum(share * state for share, state in zip(shares, states))
    return torch.cat([mixed[-1, :WIDTH], mixed[0, WIDTH:]])


def write(folder, model_type, directions, seed):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    of = parameters(directions)
    ids = [torch.randint(5, VOCABULARY, (length,)).tolist() for length in LENGTHS]
    labels = torch.randint(0, CLASSES, (len(ids),)).tolist()
    states = [states_of(of, row, directions) for row in ids]
    logits = torch.stack([pooled(of, one, directions) for one in states]) @ of["classifier.weight"].T
    logits = logits + of["classifier.bias"]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels))
    loss.backward()

    def kept(tensors):
        return {name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}
    save_file(kept(of), folder / "model.safetensors", metadata={"format": "pt"})
    save_file(kept({name: tensor.grad for name, tensor in of.items()}), folder / "gradients.safetensors")
    found = {f"hidden.{at}": torch.cat(layer) for at, layer in enumerate(zip(*states))} | {"logits": logits}
    save_file(kept(found), folder / "forward.safetensors")
    config = {"architectures": [f"{model_type.capitalize()}ForSequenceClassification"], "model_type": model_type,
              "hidden_size": directions * WIDTH, "num_hidden_layers": LAYERS, "vocab_size": VOCABULARY,
              "max_position_embeddings": POSITIONS}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    expected = {"versions": {"torch": torch.__version__}, "ids": ids, "segments": [[0] * len(row) for row in ids],
                "labels": labels, "outputs": CLASSES, "ragged": len(ids), "loss": loss.item()}
    (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
    print(folder.name, f"loss {loss.item():.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    write(out / "lstm", "lstm", 1, 41)
    write(out / "elmo", "elmo", 2, 42)


if __name__ == "__main__":
    main()
