#!/usr/bin/env python3
"""What transformers and PyTorch compute with BERT, for tests/reference_bert.rs and tests/training.rs.

    pip install torch==2.15.0 transformers==5.23.0 safetensors
    python tests/golden/bert.py [--out FOLDER] [--minilm FOLDER [--full FOLDER]]

Writes bert/ and bert_*/ into the folder of this script, or into --out: small random BERTs, one folder each.
With --minilm (a folder of all-MiniLM-L6-v2) also bert_minilm/, an excerpt of what that encoder gives; with
--full, all that it gives, in the form of the small ones (a few hundred megabytes, not committed).
The same command gives the same numbers up to rounding (one thread, fixed seeds). A folder holds

config.json, model.safetensors   the model, as transformers saves it
expected.json                    examples as token ids, segments and labels; how many of them make the ragged
                                 batch of the forward pass; its loss and global gradient norm; settings and
                                 losses of 100 steps with each optimizer, and the outputs after them
forward.safetensors              states after the embeddings and each layer as `hidden.N` [tokens, hidden],
                                 `pooled`, `logits`; no dropout
gradients.safetensors            the gradient of that loss with respect to every parameter
adamw.safetensors, bert_adam.safetensors   every parameter after one step on that batch; gradients of at most
                                 1e-6 of the whole norm count as 0

bert_encoder/ is a BertModel, saved without the `bert.` prefix; its loss is the mean square of `pooled`.
The 100 steps take the examples in the order of bert_batches.json, which tests/reference_bert.rs keeps equal to
what bertbench's `shuffle` stream draws.
"""
import argparse
import json
import math
import pathlib

import numpy
import torch
import transformers
from safetensors.torch import save_file
from transformers import (AutoTokenizer, BertConfig, BertForSequenceClassification, BertModel,
                          get_linear_schedule_with_warmup)

HERE = pathlib.Path(__file__).parent
BATCHES = json.loads((HERE / "bert_batches.json").read_text())
# The batch of the forward pass and of the single steps: so many examples, from the first.
RAGGED = 6
WEIGHT_DECAY, CLIP_NORM, WARMUP_FRACTION = 0.01, 1.0, 0.1
ROUNDING = 1e-6
EPSILON = {"adamw": 1e-8, "bert_adam": 1e-6}
# Name, seed, layers, hidden, heads, intermediate, labels (1: regression, 0: no head), peak learning rates.
SMALL = [
    ("bert", 20, 2, 32, 4, 64, 3, 1e-3),
    ("bert_deep", 21, 5, 24, 2, 40, 2, 1e-3),
    ("bert_wide", 22, 1, 40, 2, 72, 3, 1e-3),
    ("bert_score", 23, 3, 30, 5, 50, 1, 3e-4),
    ("bert_encoder", 24, 2, 16, 1, 48, 0, None),
]
VOCABULARY, POSITIONS = 60, 16
SENTENCES = [
    ("The ferry leaves at nine.", "Nine is when the ferry goes."),
    ("A baker in Lyon sells bread made of chestnut flour, and people queue for it before dawn every Saturday.",
     "Bread is sold in Lyon."),
    ("Rain.", "It is pouring outside, and the streets near the old harbour are already under water."),
    ("She repaired the radio that her grandfather had built from spare parts in 1951.", "The radio was bought new."),
    ("How tall is the lighthouse?", "The lighthouse, painted red and white, stands 43 metres above the cliffs."),
    ("No one objected.", "Everybody objected loudly!"),
    ("The committee postponed its decision until the engineers had measured the bridge a second time.",
     "The bridge was measured again before anything was decided."),
    ("Two goats crossed the road.", "Some animals were on the road."),
    ("It wasn't the price that mattered, he said, but whether the seeds would grow in clay.",
     "The price was what mattered most."),
    ("Copper conducts electricity.", "Copper is an insulator."),
    ("The orchestra rehearsed in a hangar because the hall's roof, damaged in the storm, leaked onto the stage.",
     "A storm had damaged the roof of the hall."),
    ("Who wrote the letter?", "Nobody knows who wrote it."),
    ("In spring the river rises by three metres.", "The river's level changes with the seasons."),
    ("He counted the coins twice and still came up one short.", "A coin was missing, as far as he could tell."),
    ("Tea, please.", "I would like a cup of coffee with two spoons of sugar and a little milk."),
    ("The museum keeps its oldest maps in a room without windows.", "Old maps are kept away from daylight."),
    ("A train to the coast was cancelled; the next one, an hour later, was so full that many had to stand.",
     "All trains to the coast ran on time and half empty."),
    ("They planted 200 oaks.", "Trees were planted."),
]


def small_model(seed, layers, hidden, heads, intermediate, labels):
    torch.manual_seed(seed)
    # A wide initialisation, so that attention is far from uniform and errors show.
    config = BertConfig(vocab_size=VOCABULARY, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                        intermediate_size=intermediate, max_position_embeddings=POSITIONS, num_labels=labels or 2,
                        initializer_range=0.3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    model = BertForSequenceClassification(config) if labels else BertModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:  # biases are born 0 and norms 1: make them tell too
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def small_examples(labels):
    lengths = [9, 3, 14, 6, 16, 4] + torch.randint(4, POSITIONS + 1, (BATCHES["examples"] - RAGGED,)).tolist()
    if labels == 1:
        answers = [round(5 * x, 2) for x in torch.rand(len(lengths)).tolist()]
    else:
        answers = torch.randint(0, labels or 2, (len(lengths),)).tolist()
    ids = [[2] + torch.randint(5, VOCABULARY, (n - 2,)).tolist() + [3] for n in lengths]
    return {"ids": ids, "segments": [[0] * (n // 2) + [1] * (n - n // 2) for n in lengths], "labels": answers}


def minilm_model(folder):
    """The encoder with a random head for three classes."""
    torch.manual_seed(25)
    model = BertForSequenceClassification.from_pretrained(
        folder, num_labels=3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    with torch.no_grad():
        model.classifier.weight.normal_(0.0, 0.1)
        model.classifier.bias.normal_(0.0, 0.1)
    return model


def minilm_examples(folder):
    encoded = AutoTokenizer.from_pretrained(folder)([a for a, _ in SENTENCES], [b for _, b in SENTENCES])
    return {"ids": encoded["input_ids"], "segments": encoded["token_type_ids"],
            "labels": [index * 7 % 3 for index in range(len(SENTENCES))]}


def inputs(examples, which, labels):
    rows = [examples["ids"][i] for i in which]
    longest = max(map(len, rows))

    def padded(rows):
        return torch.tensor([row + [0] * (longest - len(row)) for row in rows])

    batch = {"input_ids": padded(rows), "token_type_ids": padded([examples["segments"][i] for i in which]),
             "attention_mask": padded([[1] * len(row) for row in rows])}
    if labels:
        answers = [examples["labels"][i] for i in which]
        batch["labels"] = torch.tensor(answers, dtype=torch.float32 if labels == 1 else torch.int64)
    return batch


def loss_of(model, batch):
    result = model(**batch)
    return result.loss if "labels" in batch else result.pooler_output.square().mean()


def decays(name):
    return "LayerNorm" not in name and not name.endswith("bias")


class AdamW:
    """PyTorch's AdamW, clipping and Hugging Face's schedule, as its Trainer puts them together."""

    def __init__(self, model, peak, steps, warmup):
        self.model = model
        named = list(model.named_parameters())
        self.optimizer = torch.optim.AdamW(
            [{"params": [p for n, p in named if decays(n)], "weight_decay": WEIGHT_DECAY},
             {"params": [p for n, p in named if not decays(n)], "weight_decay": 0.0}],
            lr=peak, betas=(0.9, 0.999), eps=EPSILON["adamw"])
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, math.ceil(steps * warmup), steps)

    def step(self):
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimizer.step()
        self.schedule.step()


class BertAdam:
    """The formulas of google-research/bert's optimization.py, written out: a polynomial decay of power 1 over all
    steps, replaced by the warmup while it lasts; tf.clip_by_global_norm; Adam without bias correction."""

    def __init__(self, model, peak, steps, warmup):
        self.named = [(n, p, torch.zeros_like(p), torch.zeros_like(p)) for n, p in model.named_parameters()]
        self.peak, self.steps, self.warmup_steps, self.done = peak, steps, int(steps * warmup), 0

    def rate(self):
        if self.done < self.warmup_steps:
            return self.peak * self.done / self.warmup_steps
        return self.peak * (1 - min(self.done, self.steps) / self.steps)

    @torch.no_grad()
    def step(self):
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for _, p, _, _ in self.named]
        norm = torch.sqrt(sum(g.square().sum() for g in gradients)).item()
        for (name, p, m, v), g in zip(self.named, gradients):
            g = g * (CLIP_NORM / max(norm, CLIP_NORM))
            m.copy_(0.9 * m + 0.1 * g)
            v.copy_(0.999 * v + 0.001 * g * g)
            update = m / (v.sqrt() + EPSILON["bert_adam"])
            if decays(name):
                update = update + WEIGHT_DECAY * p
            p.sub_(self.rate() * update)
        self.done += 1


OPTIMIZERS = {"adamw": AdamW, "bert_adam": BertAdam}


def tensors(model, of=lambda parameter: parameter):
    return {name: of(parameter).detach().clone().contiguous() for name, parameter in model.named_parameters()}


def restore(model, start):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(start[name])
    model.zero_grad()


def forward(model, examples, labels):
    """States, pooled outputs, logits, the loss and the gradients on the ragged batch."""
    batch = inputs(examples, range(RAGGED), labels)
    lengths = [len(row) for row in examples["ids"][:RAGGED]]
    result = model(**batch, output_hidden_states=True)
    encoder = model.bert if labels else model
    pooled = encoder(**{key: value for key, value in batch.items() if key != "labels"}).pooler_output
    found = {f"hidden.{layer}": torch.cat([state[i, :n] for i, n in enumerate(lengths)])
             for layer, state in enumerate(result.hidden_states)}
    found["pooled"] = pooled
    if labels:
        found["logits"] = result.logits
    model.zero_grad()
    loss = loss_of(model, batch)
    loss.backward()
    norm = torch.norm(torch.stack([p.grad.norm() for p in model.parameters()])).item()
    return {name: value.detach().clone().contiguous() for name, value in found.items()}, loss.item(), norm


def one_step(model, name, rate, examples, labels):
    optimizer = OPTIMIZERS[name](model, rate, 1, 0.0)
    loss_of(model, inputs(examples, range(RAGGED), labels)).backward()
    gradients = [p.grad for p in model.parameters()]
    norm = torch.norm(torch.stack([g.norm() for g in gradients]))
    for gradient in gradients:
        # Adam divides a gradient by its own size: of one that is rounding, it makes a full step of random sign,
        # which another machine would take in the other direction. The tests leave these elements out.
        gradient[gradient.abs() <= ROUNDING * norm] = 0.0
    optimizer.step()


def hundred_steps(model, name, rate, examples, labels):
    batches = [batch for epoch in BATCHES["epochs"] for batch in epoch]
    optimizer = OPTIMIZERS[name](model, rate, len(batches), WARMUP_FRACTION)
    losses = []
    for batch in batches:
        model.zero_grad()
        loss = loss_of(model, inputs(examples, batch, labels))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def write_case(folder, model, examples, labels, rate, step_rate):
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()
    model.save_pretrained(folder)
    start = tensors(model)
    states, loss, norm = forward(model, examples, labels)
    save_file(states, folder / "forward.safetensors")
    save_file(tensors(model, lambda p: p.grad), folder / "gradients.safetensors")
    expected = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__}, **examples,
                "outputs": labels, "ragged": RAGGED, "loss": loss, "gradient_norm": norm}
    if labels:
        expected |= {"learning_rate": rate, "step_learning_rate": step_rate, "weight_decay": WEIGHT_DECAY,
                     "clip_norm": CLIP_NORM, "warmup_fraction": WARMUP_FRACTION, "epsilon": EPSILON,
                     "losses": {}, "trained_logits": {}}
        for name in OPTIMIZERS:
            restore(model, start)
            one_step(model, name, step_rate, examples, labels)
            save_file(tensors(model), folder / f"{name}.safetensors")
            restore(model, start)
            expected["losses"][name] = hundred_steps(model, name, rate, examples, labels)
            after = model(**inputs(examples, range(RAGGED), labels)).logits
            expected["trained_logits"][name] = after.tolist()
        restore(model, start)
    (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
    print(folder.name, f"loss {loss:.4f}, gradient norm {norm:.4f};",
          *(f"{name}: {losses[0]:.4f} to {losses[-1]:.4f};" for name, losses in expected.get("losses", {}).items()))


DIRECTIONS = 4


def direction(which, length):
    """±1 from the hash of the element's number; tests/reference_bert.rs has the same."""
    x = numpy.arange(length, dtype=numpy.uint32) * numpy.uint32(2654435761) + numpy.uint32(which * 40503)
    x = (x ^ (x >> numpy.uint32(15))) * numpy.uint32(2246822519)
    return numpy.where((x >> numpy.uint32(16)) & 1, 1.0, -1.0)


def write_excerpt(folder, model, examples, labels):
    """Of a large encoder: the states of two short sequences, and of each gradient its norm and projections."""
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()
    states, loss, norm = forward(model, examples, labels)
    sketch = {}
    for name, parameter in model.named_parameters():
        flat = parameter.grad.double().flatten().numpy()
        along = [float(flat @ direction(which, len(flat))) for which in range(DIRECTIONS)]
        sketch[name] = {"norm": float(numpy.linalg.norm(flat)), "along": along}
    shortest = sorted(range(len(examples["ids"])), key=lambda i: len(examples["ids"][i]))[:2]
    short = {key: [rows[i] for i in shortest] for key, rows in examples.items()}
    batch = inputs(short, range(2), labels)
    result = model(**batch, output_hidden_states=True)
    kept = {f"hidden.{layer}": torch.cat([state[i, :len(row)] for i, row in enumerate(short["ids"])])
            for layer, state in enumerate(result.hidden_states)}
    kept |= {"pooled": states["pooled"], "logits": states["logits"],
             "head.weight": model.classifier.weight, "head.bias": model.classifier.bias}
    save_file({name: value.detach().clone().contiguous() for name, value in kept.items()}, folder / "forward.safetensors")
    expected = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__}, **examples,
                "outputs": labels, "ragged": RAGGED, "short": shortest, "loss": loss, "gradient_norm": norm,
                "gradients": sketch}
    (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
    print(folder.name, f"loss {loss:.4f}, gradient norm {norm:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--minilm", type=pathlib.Path)
    parser.add_argument("--full", type=pathlib.Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name, seed, layers, hidden, heads, intermediate, labels, rate in SMALL:
        model = small_model(seed, layers, hidden, heads, intermediate, labels)
        write_case(given.out / name, model, small_examples(labels), labels, rate, 1e-2)
    if given.minilm:
        examples = minilm_examples(given.minilm)
        write_excerpt(given.out / "bert_minilm", minilm_model(given.minilm), examples, 3)
        if given.full:
            write_case(given.full / "bert_minilm_full", minilm_model(given.minilm), examples, 3, 5e-5, 1e-4)


if __name__ == "__main__":
    main()
