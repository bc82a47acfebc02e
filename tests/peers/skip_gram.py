#!/usr/bin/env python3
"""gensim's skip-gram beside bertbench's word vectors: do they find the same neighbours, and how fast is each?

`compare` trains gensim's Word2Vec on the tokens that bertbench trained on, at the same settings (width, window 5, 5 random
words, subsampling 1e-3, epochs), and prints Spearman's correlation of cosines: for each of 300 frequent words, the cosines to
2000 others, in one model and in the other; the mean over the words. gensim with another seed gives what can be expected.
`speed` prints tokens a second of gensim's training, `tokens` how many tokens the text has.
"""
import argparse
import json
import statistics
import struct
import time

import numpy
from gensim.models import Word2Vec
from gensim.models.callbacks import CallbackAny2Vec
from tokenizers import BertWordPieceTokenizer

QUERIES, OTHERS, NEAREST = 300, 2000, 10


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=["compare", "speed", "tokens"])
    parser.add_argument("--text", nargs="+", required=True, help="WikiText files, one paragraph a line")
    parser.add_argument("--vocab", required=True, help="vocab.txt")
    parser.add_argument("--model", help="the folder of bertbench's model")
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def sentences(asked):
    """The tokens of each paragraph, as strings, without the marks around them; headings are lines too."""
    tokenizer = BertWordPieceTokenizer(asked.vocab, lowercase=True)
    lines = [line.strip() for path in asked.text for line in open(path, encoding="utf-8")]
    lines = [line for line in lines if line]
    return [encoding.tokens for encoding in tokenizer.encode_batch(lines, add_special_tokens=False)]


class Epochs(CallbackAny2Vec):
    """An epoch's seconds, without the scan of the vocabulary."""

    def __init__(self):
        self.seconds = []

    def on_epoch_begin(self, model):
        self.start = time.perf_counter()

    def on_epoch_end(self, model):
        self.seconds.append(time.perf_counter() - self.start)


def train(asked, text, seed, callbacks=()):
    return Word2Vec(sentences=text, vector_size=asked.width, window=5, negative=5, sample=1e-3, min_count=1, sg=1,
                    epochs=asked.epochs, workers=asked.threads, seed=seed, callbacks=callbacks)


def ours(folder):
    """Tokens and vectors of a model of bertbench."""
    with open(f"{folder}/model.safetensors", "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        about = header["word_embeddings.weight"]
        start = file.tell() + about["data_offsets"][0]
        file.seek(start)
        count = int(numpy.prod(about["shape"]))
        table = numpy.frombuffer(file.read(4 * count), dtype="<f4").reshape(about["shape"])
    tokens = open(f"{folder}/vocab.txt", encoding="utf-8").read().split("\n")
    return {token: table[row] for row, token in enumerate(tokens) if row < len(table)}


def cosines(vectors, words):
    table = numpy.stack([vectors[word] for word in words])
    table = table / numpy.linalg.norm(table, axis=1, keepdims=True)
    return table[:QUERIES] @ table.T


def spearman(one, other):
    ranks = [row.argsort().argsort().astype(float) for row in (one, other)]
    return numpy.corrcoef(*ranks)[0, 1]


def agreement(one, other):
    """The mean of Spearman's correlations over the words, and of the share of common nearest neighbours."""
    correlations, common = [], []
    for word, (a, b) in enumerate(zip(one, other)):
        keep = numpy.arange(len(a)) != word
        correlations.append(spearman(a[keep], b[keep]))
        nearest = [set(numpy.flatnonzero(keep)[row[keep].argsort()[-NEAREST:]]) for row in (a, b)]
        common.append(len(nearest[0] & nearest[1]) / NEAREST)
    return numpy.mean(correlations), numpy.mean(common)


def main():
    asked = arguments()
    text = sentences(asked)
    tokens = sum(map(len, text))
    if asked.what == "tokens":
        print(tokens)
        return
    print(f"{tokens} tokens in {len(text)} lines")
    if asked.what == "speed":
        epochs = Epochs()
        train(asked, text, 1, [epochs])
        print(f"gensim: {tokens / statistics.median(epochs.seconds):.0f} tokens/s, {asked.threads} threads")
        return
    first, second = train(asked, text, 1), train(asked, text, 2)
    mine = ours(asked.model)
    words = [word for word in first.wv.index_to_key if word in mine and word[0].isalpha() and len(word) > 2][:OTHERS]
    tables = [cosines(vectors, words) for vectors in (mine, first.wv, second.wv)]
    for name, (one, other) in {"bertbench and gensim": tables[:2], "gensim and gensim": tables[1:]}.items():
        correlation, common = agreement(one, other)
        print(f"{name}: Spearman {correlation:.3f}, common among the {NEAREST} nearest {common:.3f}")
    for word in words[50:QUERIES:50]:
        row = words.index(word)
        shown = [[words[at] for at in table[row].argsort()[-6:-1][::-1]] for table in tables[:2]]
        print(f"{word}: {', '.join(shown[0])} | {', '.join(shown[1])}")


if __name__ == "__main__":
    main()
