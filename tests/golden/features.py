#!/usr/bin/env python3
"""Writes tests/golden/features.json: hidden states of lines of text, by the model of tests/golden/bert.

    pip install torch==2.15.0 transformers==5.23.0
    python tests/golden/features.py [FILE]

vocabulary        the tokens of that model, in order
lines             texts, with ` ||| ` between those of a pair
tokens, segments  of each line, cut to the model's 16 positions, the longer text of a pair first
hidden_states     after the embeddings and after each layer: [layers + 1][line][token][hidden]
"""
import json
import pathlib
import sys
import tempfile

import torch
from transformers import BertModel, BertTokenizer

here = pathlib.Path(__file__).parent
torch.set_num_threads(1)
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "中", "é"]
vocabulary += [f"w{id}" for id in range(len(vocabulary), 60)]
lines = ["w16 unaffable w59", "w20 ||| w30 w31", "", "é 中 unknown", " ".join(f"w{id}" for id in range(10, 40)),
         " ".join(f"w{id}" for id in range(10, 20)) + " ||| " + " ".join(f"w{id}" for id in range(30, 38)), "w44"]
model = BertModel.from_pretrained(here / "bert").eval()
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "vocab.txt"
    path.write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(str(path), do_lower_case=False)
encoded = [tokenizer(*line.split(" ||| "), truncation="longest_first", max_length=16) for line in lines]
with torch.no_grad():
    states = [model(input_ids=torch.tensor([one["input_ids"]]), token_type_ids=torch.tensor([one["token_type_ids"]]),
                    output_hidden_states=True).hidden_states for one in encoded]
expected = {
    "versions": {"torch": torch.__version__, "transformers": __import__("transformers").__version__},
    "vocabulary": vocabulary, "lines": lines,
    "tokens": [tokenizer.convert_ids_to_tokens(one["input_ids"]) for one in encoded],
    "segments": [one["token_type_ids"] for one in encoded],
    "hidden_states": [[[[round(x, 7) for x in token] for token in line[layer][0].tolist()] for line in states]
                      for layer in range(len(states[0]))],
}
text = json.dumps(expected, separators=(",", ":"), ensure_ascii=False)
pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else here / "features.json").write_text(text + "\n", encoding="utf-8")
