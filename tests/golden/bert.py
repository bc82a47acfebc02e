#!/usr/bin/env python3
"""Writes tests/golden/bert/: a small random BERT and what transformers computes with it.

    pip install torch==2.15.0 transformers==5.23.0 safetensors
    python tests/golden/bert.py

config.json, model.safetensors   the model, as transformers saves it
expected.json                    token ids of a ragged batch; hidden states, pooled outputs, logits and the
                                 loss without dropout; the losses of ten AdamW steps with clipping
gradients.safetensors            the gradient of that loss with respect to every parameter
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, get_linear_schedule_with_warmup

out = pathlib.Path(__file__).parent / "bert"
out.mkdir(exist_ok=True)
torch.manual_seed(20)
torch.set_num_threads(1)
# A wide initialisation, so that attention is far from uniform and errors show.
config = BertConfig(vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                    max_position_embeddings=16, num_labels=3, initializer_range=0.3,
                    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
model = BertForSequenceClassification(config)
with torch.no_grad():
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:  # biases are born 0 and norms 1: make them tell too
            parameter.add_(0.1 * torch.randn_like(parameter))
model.save_pretrained(out)

lengths = [9, 3, 14, 6]
batch = {"ids": [[2] + torch.randint(5, 60, (n - 2,)).tolist() + [3] for n in lengths], "labels": [0, 2, 1, 1]}
batch["segments"] = [[0] * (n // 2) + [1] * (n - n // 2) for n in lengths]
longest = max(lengths)


def padded(rows):
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows])


inputs = {"input_ids": padded(batch["ids"]), "token_type_ids": padded(batch["segments"]),
          "attention_mask": padded([[1] * n for n in lengths]), "labels": torch.tensor(batch["labels"])}
model.eval()
result = model(**inputs, output_hidden_states=True)
result.loss.backward()
save_file({name: parameter.grad.clone() for name, parameter in model.named_parameters()}, out / "gradients.safetensors")
pooled = model.bert(**{k: v for k, v in inputs.items() if k != "labels"}).pooler_output

expected = {
    "versions": {"torch": torch.__version__, "transformers": __import__("transformers").__version__},
    **batch,
    "hidden_states": [[state[i, :n].tolist() for i, n in enumerate(lengths)] for state in result.hidden_states],
    "pooled": pooled.tolist(), "logits": result.logits.tolist(), "loss": result.loss.item(),
    "gradient_norm": torch.norm(torch.stack([p.grad.norm() for p in model.parameters()])).item(),
}

decay = [p for n, p in model.named_parameters() if "LayerNorm" not in n and not n.endswith("bias")]
plain = [p for n, p in model.named_parameters() if "LayerNorm" in n or n.endswith("bias")]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
                              lr=1e-2, betas=(0.9, 0.999), eps=1e-8)
schedule = get_linear_schedule_with_warmup(optimizer, 2, 10)
losses = []
for step in range(10):
    optimizer.zero_grad()
    loss = model(**inputs).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
expected["training_losses"] = losses
expected["trained_logits"] = model(**inputs).logits.tolist()
(out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
print(losses)
