#!/usr/bin/env python3
"""What transformers' BertForPreTraining and BertLMHeadModel and PyTorch compute, for
src/train/pretraining/tests.rs.

    pip install torch==2.15.0 transformers==5.23.0 safetensors numpy
    python tests/golden/pretraining_step.py

Writes pretraining_step/ (masked tokens and the next sentence) and next_token_step/ (left to right, `is_decoder`) beside
this script. In each a small random model as transformers saves it (config.json, model.safetensors), and from a fixed
batch without dropout, computed in float64:

expected.json           the batch, losses, logits of the next sentence, settings and losses of three steps
logits.safetensors      `predictions` [predicted tokens, vocabulary]
gradients.safetensors   the gradient of the sum of the losses with respect to every parameter; that of the word
                        embeddings is what the lookup and the tied decoder give together
adamw.safetensors, bert_adam.safetensors   every parameter after three steps on that batch

The same command gives the same numbers up to rounding (one thread, fixed seed).
"""
import json
import pathlib

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertForPreTraining, BertLMHeadModel

HERE = pathlib.Path(__file__).parent
VOCABULARY, POSITIONS, MASK = 60, 16, 4
RATE, STEPS, TOTAL_STEPS, WARMUP_STEPS = 1e-3, 3, 5, 2
WEIGHT_DECAY, CLIP_NORM = 0.01, 1.0
# Larger than BERT's, so that gradients that are nothing but rounding (keys' biases have none) move nothing.
EPSILON = 1e-3


def random_model(of, seed, **more):
    torch.manual_seed(seed)
    config = BertConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=64, max_position_embeddings=POSITIONS, initializer_range=0.3,
                        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **more)
    model = of(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def random_examples():
    """Pairs of segments, of which some tokens are masked, kept or replaced."""
    examples = []
    for number, length in enumerate([9, 16, 5, 12, 7, 14]):
        tokens = torch.randint(5, VOCABULARY, (length,)).tolist()
        middle = length // 2
        ids = tokens[:]
        ids[0], ids[middle], ids[-1] = 2, 3, 3
        positions = sorted((1 + torch.randperm(length - 2)[:max(1, length // 5)]).tolist())
        positions = [at for at in positions if at != middle] or [middle + 1]
        labels = [ids[at] for at in positions]
        for turn, at in enumerate(positions):
            ids[at] = [MASK, MASK, ids[at], 7][turn % 4]
        segments = [0] * (middle + 1) + [1] * (length - middle - 1)
        examples.append({"ids": ids, "segments": segments, "masked_positions": positions, "masked_labels": labels,
                         "next_is_random": bool(number % 2)})
    return examples


def next_token_examples():
    """After each token the next one is to be predicted; some have a second segment."""
    examples = []
    for number, length in enumerate([9, 16, 2, 12, 7, 14]):
        ids = torch.randint(5, VOCABULARY, (length,)).tolist()
        ids[0], ids[-1] = 2, 3
        first = length // 2 if number % 2 else length
        examples.append({"ids": ids, "segments": [0] * first + [1] * (length - first),
                         "masked_positions": list(range(length - 1)), "masked_labels": ids[1:],
                         "next_is_random": None})
    return examples


def batch_of(examples):
    longest = max(len(example["ids"]) for example in examples)
    pad = lambda row, with_: row + [with_] * (longest - len(row))
    labels = []
    for example in examples:
        row = [-100] * longest
        for at, label in zip(example["masked_positions"], example["masked_labels"]):
            row[at] = label
        labels.append(row)
    batch = {
        "input_ids": torch.tensor([pad(example["ids"], 0) for example in examples]),
        "token_type_ids": torch.tensor([pad(example["segments"], 0) for example in examples]),
        "attention_mask": torch.tensor([pad([1] * len(example["ids"]), 0) for example in examples]),
    }
    return batch, torch.tensor(labels)


def decays(name):
    return "LayerNorm" not in name and not name.endswith("bias")


def adamw(model):
    named = list(model.named_parameters())
    groups = [{"params": [p for n, p in named if decays(n) is wanted], "weight_decay": WEIGHT_DECAY * wanted}
              for wanted in (True, False)]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.999), eps=EPSILON)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, WARMUP_STEPS, TOTAL_STEPS)

    def step():
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
    return step


def bert_adam(model):
    """google-research/bert's optimization.py, written out."""
    state = [(n, p, torch.zeros_like(p), torch.zeros_like(p)) for n, p in model.named_parameters()]
    done = [0]

    @torch.no_grad()
    def step():
        warm = done[0] / WARMUP_STEPS
        rate = RATE * (warm if done[0] < WARMUP_STEPS else 1 - done[0] / TOTAL_STEPS)
        norm = torch.sqrt(sum(p.grad.square().sum() for _, p, _, _ in state)).item()
        for name, p, m, v in state:
            g = p.grad * (CLIP_NORM / max(norm, CLIP_NORM))
            m.copy_(0.9 * m + 0.1 * g)
            v.copy_(0.999 * v + 0.001 * g * g)
            p.sub_(rate * (m / (v.sqrt() + EPSILON) + (WEIGHT_DECAY * p if decays(name) else 0.0)))
        done[0] += 1
    return step


def tensors(model, of=lambda parameter: parameter):
    return {name: of(parameter).detach().float().clone().contiguous() for name, parameter in model.named_parameters()}


def masked_tokens(examples):
    """A function from a model to its loss and what else is expected of it."""
    batch, labels = batch_of(examples)
    pairs = torch.tensor([int(example["next_is_random"]) for example in examples])

    def run(model):
        result = model(**batch, labels=labels, next_sentence_label=pairs)
        predictions = result.prediction_logits[labels != -100]
        mlm = torch.nn.functional.cross_entropy(predictions, labels[labels != -100])
        nsp = torch.nn.functional.cross_entropy(result.seq_relationship_logits, pairs)
        assert torch.allclose(mlm + nsp, result.loss)
        return result.loss, predictions, {"mlm_loss": mlm.item(), "nsp_loss": nsp.item(),
                                          "next_sentence": result.seq_relationship_logits.tolist()}
    return run


def next_token(examples):
    """As `masked_tokens`. transformers computes this loss in float32, so it is only compared with its."""
    batch, labels = batch_of(examples)
    itself = torch.where(batch["attention_mask"] == 1, batch["input_ids"], -100)

    def run(model):
        result = model(**batch, labels=itself)
        predictions = result.logits[labels != -100]
        loss = torch.nn.functional.cross_entropy(predictions, labels[labels != -100])
        assert torch.allclose(loss, result.loss.double(), rtol=1e-5)
        return loss, predictions, {"mlm_loss": loss.item()}
    return run


def write(out, model, examples, run):
    out.mkdir(exist_ok=True)
    model.save_pretrained(out)
    model.double().eval()
    start = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    loss, predictions, more = run(model)
    loss.backward()
    save_file({"predictions": predictions.detach().float().contiguous()}, out / "logits.safetensors")
    save_file(tensors(model, lambda parameter: parameter.grad), out / "gradients.safetensors")
    norm = torch.sqrt(sum(p.grad.square().sum() for p in model.parameters())).item()
    expected = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__},
                "examples": examples, **more, "gradient_norm": norm,
                "learning_rate": RATE, "steps": STEPS, "total_steps": TOTAL_STEPS, "warmup_steps": WARMUP_STEPS,
                "weight_decay": WEIGHT_DECAY, "clip_norm": CLIP_NORM, "epsilon": EPSILON, "losses": {}}
    for name, optimizer in [("adamw", adamw), ("bert_adam", bert_adam)]:
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                parameter.copy_(start[key])
        step, losses = optimizer(model), []
        for _ in range(STEPS):
            model.zero_grad()
            again, _, _ = run(model)
            again.backward()
            step()
            losses.append(again.item())
        expected["losses"][name] = losses
        save_file(tensors(model), out / f"{name}.safetensors")
    (out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
    print(f"{out.name}: loss {loss:.4f}, gradient norm {norm:.4f};", expected["losses"])


def main():
    torch.set_num_threads(1)
    model = random_model(BertForPreTraining, 40)
    examples = random_examples()
    write(HERE / "pretraining_step", model, examples, masked_tokens(examples))
    model = random_model(BertLMHeadModel, 41, is_decoder=True)
    examples = next_token_examples()
    write(HERE / "next_token_step", model, examples, next_token(examples))


if __name__ == "__main__":
    main()
