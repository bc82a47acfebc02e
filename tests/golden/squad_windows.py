#!/usr/bin/env python3
"""Golden windows of real questions for `tests/squad_data.rs`: counts and digests, by transformers' fast tokenizer.

Made with Python 3.11 and transformers 4.57.1 (tokenizers 0.22.2):
    pip install transformers==4.57.1
    python tests/golden/squad_windows.py REALDATA > tests/golden/squad_windows.json
REALDATA has squad/half{A,B}.json, halves of SQuAD's official dev set, and vocab/bert-base-uncased-vocab.txt. The
tokenizer slides by what a window may overlap the one before it: here the room for the context less 128 tokens.
A window is labelled with the first answer's first and last token where it holds both, else with 0 0.
"""
import hashlib
import json
import pathlib
import sys

import transformers

LENGTH, STRIDE, QUERY = 384, 128, 64
root = pathlib.Path(sys.argv[1])
tokenizer = transformers.BertTokenizerFast(str(root / "vocab/bert-base-uncased-vocab.txt"), do_lower_case=True)


def half(name):
    articles = json.loads((root / "squad" / name).read_text(encoding="utf-8"))["data"]
    digest, windows, labelled, cut, count = hashlib.sha256(), 0, 0, 0, 0
    for context, qa in ((p["context"], qa) for article in articles for p in article["paragraphs"] for qa in p["qas"]):
        query = tokenizer(qa["question"], add_special_tokens=False, return_offsets_mapping=True)
        question = qa["question"]
        if len(query["input_ids"]) > QUERY:
            cut += 1
            question = question[:query["offset_mapping"][QUERY - 1][1]]
        room = LENGTH - min(QUERY, len(query["input_ids"])) - 3
        encoded = tokenizer(question, context, truncation="only_second", max_length=LENGTH,
                            stride=max(0, room - STRIDE), return_overflowing_tokens=True, return_offsets_mapping=True)
        answer = qa["answers"][0]
        start, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
        whole = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        touched = [place for place in whole if place[0] < end and start < place[1]]
        for i in range(len(encoded["input_ids"])):
            places = [(at, offset) for at, (sequence, offset) in
                      enumerate(zip(encoded.sequence_ids(i), encoded["offset_mapping"][i])) if sequence == 1]
            firsts = [at for at, offset in places if offset == touched[0]]
            lasts = [at for at, offset in places if offset == touched[-1]]
            label = (firsts[0], lasts[-1]) if firsts and lasts else (0, 0)
            row = [count, *encoded["input_ids"][i], *encoded["token_type_ids"][i], *label]
            digest.update((" ".join(map(str, row)) + "\n").encode())
            labelled += label != (0, 0)
            windows += 1
        count += 1
    return {"questions": count, "windows": windows, "labelled": labelled, "truncated_questions": cut, "sha256": digest.hexdigest()}


golden = {"versions": {"transformers": transformers.__version__, "tokenizers": __import__("tokenizers").__version__},
          "settings": [LENGTH, STRIDE, QUERY], "halfA": half("halfA.json"), "halfB": half("halfB.json")}
print(json.dumps(golden, indent=1))
