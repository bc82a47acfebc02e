#!/usr/bin/env python3
"""A whole pretraining run by PyTorch and transformers on the very examples of `bertbench pretrain`, and how far the two
are apart: docs/parity.md, "A pretraining run". `just parity-pretraining` does all of it.

    pip install torch==2.15.0 transformers==5.23.0 safetensors numpy
    python tests/golden/pretraining_run.py start --vocabulary corpus/vocab.txt --out start
    bertbench pretrain --init-checkpoint start --corpus corpus --held-out held-out --optimizer adamw --steps N … --out ours
    bertbench corpus export corpus --steps N --batch-size 32 --out - | gzip -1 > batches.jsonl.gz
    bertbench corpus export held-out --out - | gzip -1 > held-out.jsonl.gz
    python tests/golden/pretraining_run.py train --settings ours/settings.json --start start \\
        --batches batches.jsonl.gz --held-out held-out.jsonl.gz --out theirs.jsonl
    python tests/golden/pretraining_run.py compare ours/metrics.jsonl theirs.jsonl

`start` writes random weights that both begin with. `train` reads from bertbench's settings what decides a run: rate,
warmup, decay, clipping, dropout, steps. Everything is float32. Dropout draws other random numbers there than here.
"""
import argparse
import gzip
import itertools
import json
import pathlib
import time

import torch
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForPreTraining, get_linear_schedule_with_warmup


def start(args):
    torch.manual_seed(args.seed)
    tokens = len(args.vocabulary.read_text(encoding="utf-8").splitlines())
    model = BertForPreTraining(BertConfig(
        vocab_size=tokens, hidden_size=args.hidden, num_hidden_layers=args.layers, num_attention_heads=args.heads,
        intermediate_size=4 * args.hidden, max_position_embeddings=128))
    model.save_pretrained(args.out)
    (args.out / "vocab.txt").write_bytes(args.vocabulary.read_bytes())


def lines(path):
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        yield from map(json.loads, file)


class Batch:
    """Examples side by side, padded; only the masked tokens go through the head, as in run_pretraining.py."""

    def __init__(self, examples, device):
        longest = max(len(example["ids"]) for example in examples)
        padded = lambda key, with_: torch.tensor(
            [row[key] + [with_] * (longest - len(row[key])) for row in examples], device=device)
        self.tokens = sum(len(example["ids"]) for example in examples)
        self.ids, self.segments = padded("ids", 0), padded("segments", 0)
        lengths = torch.tensor([len(example["ids"]) for example in examples], device=device)
        self.mask = (torch.arange(longest, device=device)[None, :] < lengths[:, None]).long()
        self.rows = torch.tensor([number * longest + at for number, example in enumerate(examples)
                                  for at in example["masked_positions"]], device=device)
        self.labels = torch.tensor([label for example in examples for label in example["masked_labels"]], device=device)
        self.pairs = torch.tensor([int(example["next_is_random"]) for example in examples], device=device)

    def losses(self, model):
        """Of masked tokens and of the next sentence, each the mean over its predictions."""
        states = model.bert(input_ids=self.ids, token_type_ids=self.segments, attention_mask=self.mask)
        masked = states.last_hidden_state.flatten(0, 1)[self.rows]
        predictions, pairs = model.cls(masked, states.pooler_output)
        return cross_entropy(predictions, self.labels), cross_entropy(pairs, self.pairs)


class Mean:
    """Mean losses over all predictions of several batches."""

    def __init__(self):
        self.sums = {"mlm_loss": [0.0, 0], "nsp_loss": [0.0, 0]}

    def add(self, batch, mlm, nsp):
        for name, loss, count in (("mlm_loss", mlm, len(batch.labels)), ("nsp_loss", nsp, len(batch.pairs))):
            self.sums[name][0] += loss.item() * count
            self.sums[name][1] += count

    def event(self, kind, step):
        means = {name: total / count for name, (total, count) in self.sums.items()}
        return {"event": kind, "step": step, **means}


def evaluate(model, path, device, step):
    model.eval()
    mean, examples = Mean(), lines(path)
    with torch.no_grad():
        while some := list(itertools.islice(examples, 64)):
            batch = Batch(some, device)
            mean.add(batch, *batch.losses(model))
    model.train()
    return mean.event("evaluation", step)


def optimizer_of(model, settings):
    assert settings["optimizer"] == "adamw", "the schedule is that of Hugging Face"
    decays = lambda name: "LayerNorm" not in name and not name.endswith("bias")
    groups = [{"params": [p for n, p in model.named_parameters() if decays(n) is wanted],
               "weight_decay": settings["weight_decay"] * wanted} for wanted in (True, False)]
    optimizer = torch.optim.AdamW(groups, lr=settings["learning_rate"], eps=settings["adam_epsilon"],
                                  betas=(settings["adam_beta1"], settings["adam_beta2"]))
    steps = sum(phase["steps"] for phase in settings["phases"])
    return optimizer, get_linear_schedule_with_warmup(optimizer, settings["warmup_steps"], steps)


def train(args):
    settings = json.loads(args.settings.read_text())
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(settings["seed"])
    device = torch.device(args.device)
    dropout = settings["dropout"]
    model = BertForPreTraining.from_pretrained(args.start, hidden_dropout_prob=dropout,
                                               attention_probs_dropout_prob=dropout).to(device).train()
    optimizer, schedule = optimizer_of(model, settings)
    log_every, evaluate_every = settings["log_every"], (settings["evaluation"] or {"every": 10**9})["every"]
    steps = min(args.steps or 10**9, sum(phase["steps"] for phase in settings["phases"]))
    mean, tokens, began, evaluating = Mean(), 0, time.perf_counter(), 0.0
    with open(args.out, "w", encoding="utf-8") as out:
        def tell(event):
            print(json.dumps(event), file=out, flush=True)
            print(event, flush=True)

        for step, group in itertools.groupby(lines(args.batches), key=lambda example: example["step"]):
            if step > steps:
                break
            batch = Batch(list(group), device)
            optimizer.zero_grad()
            mlm, nsp = batch.losses(model)
            (mlm + nsp).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
            optimizer.step()
            schedule.step()
            mean.add(batch, mlm, nsp)
            tokens += batch.tokens
            if step % log_every == 0 or step == steps:
                rate = tokens / (time.perf_counter() - began - evaluating)
                tell({**mean.event("step", step), "tokens_per_second": rate})
                mean = Mean()
            if args.held_out and (step % evaluate_every == 0 or step == steps):
                before = time.perf_counter()
                tell(evaluate(model, args.held_out, device, step))
                evaluating += time.perf_counter() - before


def compare(args):
    ours, theirs = ({(event["event"], event["step"]): event for event in lines(path)} for path in (args.ours, args.theirs))
    assert ours.keys() == theirs.keys(), "the runs do not tell of the same steps"
    apart = lambda key, name: abs(ours[key][name] / theirs[key][name] - 1)
    trained = [key for key in ours if key[0] == "step"]
    held_out = [key for key in ours if key[0] == "evaluation"]
    print(f"{'step':>7}  {'held-out MLM loss':^33}  {'training MLM loss':^33}")
    print(f"{'':7}" + f"  {'bertbench':>11}{'PyTorch':>11}{'apart':>11}" * 2)
    for key in held_out:
        row = f"{key[1]:7}"
        for kind in (key, ("step", key[1])):
            row += f"  {ours[kind]['mlm_loss']:11.4f}{theirs[kind]['mlm_loss']:11.4f}{apart(kind, 'mlm_loss'):10.2%} "
        print(row)
    worst = 0.0
    for name, keys in (("held-out", held_out), ("training", trained)):
        far = max(keys, key=lambda key: apart(key, "mlm_loss"))
        worst = max(worst, apart(far, "mlm_loss"))
        print(f"{name}: largest difference {apart(far, 'mlm_loss'):.2%}, at step {far[1]} of {len(keys)} compared")
    perplexities = [ours[key]["perplexity"] for key in held_out]
    rises = [(key[1]) for key, before, now in zip(held_out[1:], perplexities, perplexities[1:]) if now >= before]
    print("held-out perplexity: " + " ".join(f"{perplexity:.0f}" for perplexity in perplexities)
          + (f"; rises at {rises}" if rises else "; falls at every evaluation"))
    if worst > args.tolerance:
        raise SystemExit(f"more than {args.tolerance:.0%} apart")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("start")
    command.add_argument("--vocabulary", type=pathlib.Path, required=True)
    command.add_argument("--out", type=pathlib.Path, required=True)
    for name, value in (("layers", 4), ("hidden", 256), ("heads", 4), ("seed", 1)):
        command.add_argument(f"--{name}", type=int, default=value)
    command.set_defaults(execute=start)
    command = commands.add_parser("train")
    for name in ("settings", "start", "batches", "out"):
        command.add_argument(f"--{name}", type=pathlib.Path, required=True)
    command.add_argument("--held-out", type=pathlib.Path)
    command.add_argument("--device", default="cpu")
    command.add_argument("--threads", type=int)
    command.add_argument("--steps", type=int, help="stop after so many, with the schedule of the whole run")
    command.set_defaults(execute=train)
    command = commands.add_parser("compare")
    command.add_argument("ours", type=pathlib.Path)
    command.add_argument("theirs", type=pathlib.Path)
    command.add_argument("--tolerance", type=float, default=0.02)
    command.set_defaults(execute=compare)
    args = parser.parse_args()
    args.execute(args)


if __name__ == "__main__":
    main()
