#!/usr/bin/env python3
"""Golden values for tests/real_ner.rs: what is in ResumeNER, counted by seqeval.

Made with Python 3.11, seqeval 1.2.2:
    pip install seqeval==1.2.2
    python tests/golden/resume_ner.py FOLDER > tests/golden/resume_ner.json
FOLDER holds train.char.bmes, dev.char.bmes and test.char.bmes (Zhang and Yang 2018, "Chinese NER using lattice
LSTM"), which are not part of the project. Entities are those of seqeval's default mode, M read as I, because
train has two that a sentence's end cuts in two; seqeval's strict mode, which takes nothing odd, finds the same
where there is nothing odd. `sha256` is of one line a character, `character tag` with the tags of IOB2, an empty line after every sentence.
"""
import collections
import hashlib
import json
import pathlib
import sys

from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOBES, Entities

def split(path):
    text = path.read_bytes().decode("utf-8")
    sentences = [[line.split(" ") for line in part.split("\n")] for part in text.strip("\n").split("\n\n")]
    kinds, lines = collections.Counter(), ""
    for sentence in sentences:
        tags = [tag.replace("M-", "I-") for _, tag in sentence]
        iob2, bioes = ["O"] * len(tags), ["O"] * len(tags)
        for kind, first, last in get_entities(tags):
            kinds[kind] += 1
            iob2[first:last + 1] = [f"B-{kind}"] + [f"I-{kind}"] * (last - first)
            inside = [f"B-{kind}"] + [f"I-{kind}"] * (last - first - 1) + [f"E-{kind}"]
            bioes[first:last + 1] = [f"S-{kind}"] if first == last else inside
        odd = sum(a != b for a, b in zip(tags, bioes))
        strict = [(one.tag, one.start, one.end - 1) for one in Entities([tags], IOBES).entities[0]]
        assert odd or strict == get_entities(tags), sentence
        lines += "".join(f"{character} {tag}\n" for (character, _), tag in zip(sentence, iob2)) + "\n"
    return {
        "sentences": len(sentences), "characters": sum(map(len, sentences)), "longest": max(map(len, sentences)),
        "entities": dict(sorted(kinds.items())),
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
    }


folder = pathlib.Path(sys.argv[1])
print(json.dumps({name: split(folder / f"{name}.char.bmes") for name in ("train", "dev", "test")}, indent=1))
