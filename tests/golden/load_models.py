#!/usr/bin/env python3
"""Loads folders that bertbench wrote with transformers' Auto classes, and compares what they compute.

    python tests/golden/load_models.py FOLDER [--same-as REFERENCE]
    python tests/golden/load_models.py FOLDER --predictions TSV --rows TSV --columns NAME NAME --max-length N

The folder must load with no missing, unexpected or mismatched key. With --same-as, all outputs for random
ids must equal those of another folder bit for bit. With --predictions, the logits that bertbench wrote
for a data file must be those of the loaded model and the loaded tokenizer, to 1e-4.
"""
import argparse
import csv
import json
import pathlib
import sys

import torch
import transformers
from transformers import AutoTokenizer

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)

AUTO = {
    "BertModel": "AutoModel",
    "BertForPreTraining": "AutoModelForPreTraining",
    "BertForMaskedLM": "AutoModelForMaskedLM",
    "BertLMHeadModel": "AutoModelForCausalLM",
    "BertForNextSentencePrediction": "AutoModelForNextSentencePrediction",
    "BertForSequenceClassification": "AutoModelForSequenceClassification",
    "BertForTokenClassification": "AutoModelForTokenClassification",
    "BertForQuestionAnswering": "AutoModelForQuestionAnswering",
    "BertForMultipleChoice": "AutoModelForMultipleChoice",
}


def load(folder, **options):
    """The model, after it is sure that every tensor of the file has a place and every parameter a tensor."""
    name = json.loads((pathlib.Path(folder) / "config.json").read_text())["architectures"][0]
    model, info = getattr(transformers, AUTO[name]).from_pretrained(folder, output_loading_info=True, **options)
    assert type(model).__name__ == name, (type(model).__name__, name)
    wrong = {kind: keys for kind, keys in info.items() if keys}
    assert not wrong, f"{folder}: {wrong}"
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    return model.eval()


def outputs(model):
    torch.manual_seed(3)
    ids = torch.randint(5, model.config.vocab_size, (3, min(9, model.config.max_position_embeddings)))
    if type(model).__name__ == "BertForMultipleChoice":
        ids = ids[None]
    options = {"use_cache": False} if model.config.is_decoder else {}
    with torch.no_grad():
        result = model(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True, **options)
    return [tensor for value in result.values() for tensor in (value if isinstance(value, tuple) else (value,))]


def compare_predictions(model, arguments):
    tokenizer = AutoTokenizer.from_pretrained(arguments.folder)
    with open(arguments.rows, encoding="utf-8") as file:
        # MNLI's rows without a majority are no examples.
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row.get("gold_label") != "-"]
    with open(arguments.predictions, encoding="utf-8") as file:
        written = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) == len(written) > 0
    columns = [key for key in written[0] if key.startswith("logit_")] or ["prediction"]
    classes = [key.removeprefix("logit_") for key in columns]
    if columns != ["prediction"]:
        assert [model.config.id2label[i] for i in range(len(classes))] == classes, model.config.id2label
    worst = 0.0
    for row, ours in zip(rows, written):
        texts = [row[name] for name in arguments.columns]
        encoded = tokenizer(*texts, truncation="longest_first", max_length=arguments.max_length, return_tensors="pt")
        with torch.no_grad():
            theirs = model(**encoded).logits[0].tolist()
        worst = max(worst, *(abs(float(ours[column]) - value) for column, value in zip(columns, theirs)))
    print(f"{arguments.folder}: {len(rows)} rows, largest difference of a logit {worst:.2g}")
    assert worst <= 1e-4


parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--same-as")
parser.add_argument("--predictions")
parser.add_argument("--rows")
parser.add_argument("--columns", nargs="+")
parser.add_argument("--max-length", type=int, default=128)
arguments = parser.parse_args()
model = load(arguments.folder)
if arguments.same_as:
    for ours, theirs in zip(outputs(model), outputs(load(arguments.same_as, dtype=torch.float32)), strict=True):
        assert torch.equal(ours, theirs), f"{arguments.folder} computes something else than {arguments.same_as}"
if arguments.predictions:
    compare_predictions(model, arguments)
print(f"{arguments.folder}: {type(model).__name__} loads without missing or unexpected keys", file=sys.stderr)
