#!/usr/bin/env python3
"""Hugging Face's Trainer fine-tuning a checkpoint on a task of GLUE, on the CPU unless `--device` says otherwise: the peer of
`bertbench run`.

Settings are those of bertbench's defaults: at most 128 tokens, a warmup over a tenth of the steps, weight decay 0.01.
Prints one JSON object: seconds of training and of evaluation, and the dev scores.
"""
import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy
from scipy import stats
from torch.utils.data import Dataset
from transformers import (BertForSequenceClassification, BertTokenizerFast, DataCollatorWithPadding, Trainer,
                          TrainingArguments)

MAX_LENGTH = 128
# The columns of the two sentences and of the label, from 0, and the labels in their order; none: a score.
TASKS = {
    "RTE": (1, 2, 3, ["entailment", "not_entailment"]),
    "STS-B": (7, 8, 9, []),
    "QNLI": (1, 2, 3, ["entailment", "not_entailment"]),
    "WNLI": (1, 2, 3, ["0", "1"]),
    "MRPC": (3, 4, 0, ["0", "1"]),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("data", type=Path, help="the folder that holds RTE/train.tsv, …")
    parser.add_argument("model", type=Path, help="a folder with config.json, model.safetensors and vocab.txt")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("padding", choices=["max", "group"],
                        help="max: to 128 tokens; group: batches of similar lengths, padded to their longest")
    parser.add_argument("precision", choices=["fp32", "bf16"])
    parser.add_argument("rate", type=float)
    parser.add_argument("batch", type=int)
    parser.add_argument("epochs", type=float)
    parser.add_argument("seed", type=int)
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu",
                        help="gpu: what the Trainer finds, of several the first that CUDA_VISIBLE_DEVICES leaves [default: cpu]")
    return parser.parse_args()


class Examples(Dataset):
    """A split of a task, tokenised."""

    def __init__(self, asked, split, tokenizer):
        first, second, label, names = TASKS[asked.task]
        text = (asked.data / asked.task / f"{split}.tsv").read_text(encoding="utf-8-sig")
        # Fields of GLUE are never quoted.
        rows = [line.split("\t") for line in text.rstrip("\n").split("\n")[1:]]
        self.encoded = tokenizer([row[first] for row in rows], [row[second] for row in rows], truncation=True,
                                 max_length=MAX_LENGTH, padding="max_length" if asked.padding == "max" else False)
        self.labels = [names.index(row[label]) if names else float(row[label]) for row in rows]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return {**{name: values[index] for name, values in self.encoded.items()}, "labels": self.labels[index]}


def scores(evaluated):
    outputs, labels = evaluated.predictions, evaluated.label_ids
    if outputs.shape[1] > 1:
        return {"accuracy": float(numpy.mean(outputs.argmax(axis=1) == labels))}
    return {"pearson": float(stats.pearsonr(outputs[:, 0], labels).statistic),
            "spearman": float(stats.spearmanr(outputs[:, 0], labels).statistic)}


def settings(asked, folder):
    return TrainingArguments(
        output_dir=folder, use_cpu=asked.device == "cpu", seed=asked.seed, bf16=asked.precision == "bf16",
        learning_rate=asked.rate, num_train_epochs=asked.epochs, per_device_train_batch_size=asked.batch,
        per_device_eval_batch_size=64, weight_decay=0.01,
        warmup_steps=0.1,  # below 1: of all steps
        train_sampling_strategy="group_by_length" if asked.padding == "group" else "random",
        save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True)


def main():
    asked = arguments()
    tokenizer = BertTokenizerFast(vocab=str(asked.model / "vocab.txt"), do_lower_case=True)
    train, dev = (Examples(asked, split, tokenizer) for split in ("train", "dev"))
    outputs = len(TASKS[asked.task][3]) or 1
    model = BertForSequenceClassification.from_pretrained(asked.model, num_labels=outputs)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(model=model, args=settings(asked, folder), train_dataset=train, eval_dataset=dev,
                          data_collator=DataCollatorWithPadding(tokenizer), compute_metrics=scores)
        start = time.perf_counter()
        trainer.train()
        trained = time.perf_counter()
        measured = trainer.evaluate()
        evaluated = time.perf_counter()
    measured = {name: value for name, value in measured.items() if name.removeprefix("eval_") in
                ("loss", "accuracy", "pearson", "spearman")}
    print(json.dumps({"train_seconds": trained - start, "eval_seconds": evaluated - trained, **measured}))


if __name__ == "__main__":
    main()
