#!/usr/bin/env python3
"""Writes tests/golden/pretraining_reference.json: statistics of the examples that the algorithm of
google-research/bert's create_pretraining_data.py makes of real text. The algorithm is written down here anew.

    pip install tokenizers==0.23.3
    python tests/golden/pretraining_reference.py REALDATA [FILE]
    python tests/golden/pretraining_reference.py REALDATA --time TEXT [--dupes N] [--pure]

REALDATA holds plain/, wikitext2/ and vocab/. Each corpus is gone through many times; of every statistic the mean and
the standard deviation over these times are written.

sample      google_bert_sample_text.txt as it is
paragraphs  wiki.test.tokens as the script reads it: a line counts as a sentence, a blank line ends a document
sentences   wiki.test.tokens, lines cut after each ` . `, headings left out, documents from title to title

--time measures one core on a file with a sentence a line: tokenising, then examples N times. --pure tokenises in
Python, as the script does, instead of with the tokenizers package.
"""
import argparse
import json
import pathlib
import random
import statistics
import sys
import time
import unicodedata

import tokenizers
from tokenizers import BertWordPieceTokenizer

MAX_LENGTH, SHORT, SHARE, MOST, SEED = 128, 0.1, 0.15, 20, 12345


class Pure:
    """BERT's tokenizer in plain Python, with the work that the script's tokenization.py does."""

    def __init__(self, vocabulary):
        self.ids = {token: id for id, token in enumerate(vocabulary)}

    def tokenize(self, text):
        cleaned = []
        for c in text:
            kind = unicodedata.category(c)
            if c in "\t\n\r" or kind == "Zs":
                cleaned.append(" ")
            elif ord(c) not in (0, 0xFFFD) and kind not in ("Cc", "Cf"):
                cleaned.append(f" {c} " if self.chinese(ord(c)) else c)
        pieces = []
        for word in "".join(cleaned).split():
            lowered = unicodedata.normalize("NFD", word.lower())
            for part in self.parts(c for c in lowered if unicodedata.category(c) != "Mn"):
                pieces += self.wordpiece(part)
        return pieces

    @staticmethod
    def chinese(code):
        return (0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0x20000 <= code <= 0x2CEAF
                or 0xF900 <= code <= 0xFAFF or 0x2F800 <= code <= 0x2FA1F)

    @staticmethod
    def parts(characters):
        part = ""
        for c in characters:
            code = ord(c)
            if (33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
                    or unicodedata.category(c).startswith("P")):
                if part:
                    yield part
                yield c
                part = ""
            else:
                part += c
        if part:
            yield part

    def wordpiece(self, word):
        if len(word) > 200:
            return ["[UNK]"]
        pieces, start = [], 0
        while start < len(word):
            end = len(word)
            while end > start:
                piece = ("##" if start else "") + word[start:end]
                if piece in self.ids:
                    break
                end -= 1
            if end == start:
                return ["[UNK]"]
            pieces.append(piece)
            start = end
        return pieces


class Fast:
    def __init__(self, vocabulary_path):
        self.inner = BertWordPieceTokenizer(str(vocabulary_path), lowercase=True)

    def tokenize(self, text):
        return self.inner.encode(text, add_special_tokens=False).tokens


def documents_of(lines, tokenizer):
    documents = [[]]
    for line in lines:
        line = line.strip()
        if not line:
            documents.append([])
            continue
        tokens = tokenizer.tokenize(line)
        if tokens:
            documents[-1].append(tokens)
    return [document for document in documents if document]


def examples_of(documents, at, vocabulary, draw):
    """The examples of one document: tokens with masks, length of a, whether b is random, masked positions."""
    document, room, examples = documents[at], MAX_LENGTH - 3, []
    target = draw.randint(2, room) if draw.random() < SHORT else room
    chunk, length, i = [], 0, 0
    while i < len(document):
        chunk.append(document[i])
        length += len(document[i])
        if i == len(document) - 1 or length >= target:
            split = draw.randint(1, len(chunk) - 1) if len(chunk) >= 2 else 1
            a = [token for sentence in chunk[:split] for token in sentence]
            b, is_random = [], len(chunk) == 1 or draw.random() < 0.5
            if is_random:
                for _ in range(10):
                    other = draw.randint(0, len(documents) - 1)
                    if other != at:
                        break
                for sentence in documents[other][draw.randint(0, len(documents[other]) - 1):]:
                    b += sentence
                    if len(b) >= target - len(a):
                        break
                i -= len(chunk) - split
            else:
                b = [token for sentence in chunk[split:] for token in sentence]
            while len(a) + len(b) > room:
                longer = a if len(a) > len(b) else b
                if draw.random() < 0.5:
                    del longer[0]
                else:
                    longer.pop()
            tokens = ["[CLS]", *a, "[SEP]", *b, "[SEP]"]
            examples.append((*masked(tokens, vocabulary, draw), len(a), len(b), is_random))
            chunk, length = [], 0
        i += 1
    return examples


def masked(tokens, vocabulary, draw):
    candidates = [at for at, token in enumerate(tokens) if token not in ("[CLS]", "[SEP]")]
    draw.shuffle(candidates)
    seen, places = list(tokens), []
    for at in candidates[:min(MOST, max(1, int(round(len(tokens) * SHARE))))]:
        if draw.random() < 0.8:
            seen[at] = "[MASK]"
        elif draw.random() >= 0.5:
            seen[at] = vocabulary[draw.randint(0, len(vocabulary) - 1)]
        places.append((at, tokens[at]))
    return seen, sorted(places)


def one_time(documents, vocabulary, draw):
    documents = list(documents)
    draw.shuffle(documents)
    examples = [example for at in range(len(documents)) for example in examples_of(documents, at, vocabulary, draw)]
    labels = [(seen[at], label) for seen, places, *_ in examples for at, label in places]
    return {
        "examples": len(examples),
        "tokens": statistics.fmean(len(seen) for seen, *_ in examples),
        "first_segment": statistics.fmean(a for _, _, a, _, _ in examples),
        "second_segment": statistics.fmean(b for _, _, _, b, _ in examples),
        "full_length": statistics.fmean(len(seen) == MAX_LENGTH for seen, *_ in examples),
        "under_half_length": statistics.fmean(len(seen) < MAX_LENGTH / 2 for seen, *_ in examples),
        "random_next": statistics.fmean(is_random for *_, is_random in examples),
        "predictions": statistics.fmean(len(places) for _, places, *_ in examples),
        "mask": statistics.fmean(seen == "[MASK]" for seen, _ in labels),
        "same": statistics.fmean(seen == label for seen, label in labels),
        "other": statistics.fmean(seen not in ("[MASK]", label) for seen, label in labels),
    }


def by_sentence(text):
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("= ") and line.endswith(" ="):
            if not line.startswith("= ="):
                yield ""
        elif line:
            cut = line.split(" . ")
            yield from (part + " ." for part in cut[:-1])
            yield cut[-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("realdata", type=pathlib.Path)
    parser.add_argument("file", nargs="?", type=pathlib.Path,
                        default=pathlib.Path(__file__).with_suffix(".json"))
    parser.add_argument("--time", type=pathlib.Path)
    parser.add_argument("--dupes", type=int, default=10)
    parser.add_argument("--pure", action="store_true")
    given = parser.parse_args()
    vocabulary_path = given.realdata / "vocab/bert-base-uncased-vocab.txt"
    vocabulary = vocabulary_path.read_text(encoding="utf-8").split("\n")[:-1]
    fast, pure = Fast(vocabulary_path), Pure(vocabulary)
    if given.time:
        measure(given, pure if given.pure else fast, vocabulary)
        return
    sample = (given.realdata / "plain/google_bert_sample_text.txt").read_text(encoding="utf-8")
    wiki = (given.realdata / "wikitext2/wiki.test.tokens").read_text(encoding="utf-8")
    result = {"versions": {"python": sys.version.split()[0], "tokenizers": tokenizers.__version__}}
    for name, lines, times in [("sample", sample.split("\n"), 200), ("paragraphs", wiki.split("\n"), 20),
                               ("sentences", by_sentence(wiki), 20)]:
        documents = documents_of(lines, fast)
        draw = random.Random(SEED)
        runs = [one_time(documents, vocabulary, draw) for _ in range(times)]
        result[name] = {
            "documents": len(documents), "sentences": sum(map(len, documents)),
            "tokens": sum(len(sentence) for document in documents for sentence in document), "times": times,
            "statistics": {key: [round(f([run[key] for run in runs]), 6) for f in (statistics.fmean, statistics.stdev)]
                           for key in runs[0]},
        }
    given.file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def measure(given, tokenizer, vocabulary):
    start = time.process_time()
    documents = documents_of(given.time.open(encoding="utf-8"), tokenizer)
    tokens = sum(len(sentence) for document in documents for sentence in document)
    tokenised = time.process_time()
    draw = random.Random(SEED)
    draw.shuffle(documents)
    count = written = 0
    for _ in range(given.dupes):
        for at in range(len(documents)):
            for seen, *_ in examples_of(documents, at, vocabulary, draw):
                count += 1
                written += len(seen)
    made = time.process_time()
    print(f"{tokens} tokens in {tokenised - start:.2f} s: {tokens / (tokenised - start):.0f} a second;"
          f" {count} examples of {written} tokens in {made - tokenised:.2f} s:"
          f" {written / (made - tokenised):.0f} a second; both: {tokens / (made - start):.0f} tokens of text a second")


if __name__ == "__main__":
    main()
