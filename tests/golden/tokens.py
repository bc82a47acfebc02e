#!/usr/bin/env python3
"""Golden token ids for `tests/real_data.rs`, by Hugging Face's own BERT tokenizer.

Made with Python 3.11 and tokenizers 0.23.3:
    pip install tokenizers==0.23.3
    python tests/golden/tokens.py REALDATA > tests/golden/tokens.json
REALDATA holds vocab/bert-base-{uncased,chinese}-vocab.txt and glue/STS-B/dev.tsv. Of the STS-B pairs only
digests are kept: eight digits of the SHA-256 of "ids|segments", numbers separated by spaces.
"""
import hashlib
import json
import sys

import tokenizers

root = sys.argv[1]
TEXTS = [
    "The quick brown fox didn't jump; it was un-affable.", "Ünïcödé Café naïve ÅNGSTRÖM İstanbul ſtraße",
    "今天天气很好, isn't it? 東京タワー 한국어", "emoji 😀 and \u200d joiner, soft\u00adhyphen, nbsp\u00a0here",
    "tabs\tand\x00null\x07bell\ufffdreplacement \u2028 line separator", "a literal [SEP] and [MASK] and [CLS] and [NONE]",
    "$5.00 + 3% = ≈5.15€ ½ ² 𝔘𝔫𝔦", "e\u0301 combining, ﬁ ligature, ＦＵＬＬ width", "", "   ",
    "x" * 100, "x" * 101, "…—“quoted” ‘single’ «guillemets» ¿qué?", "snake_case CamelCase http://example.org/a?b=c#d",
    "ไทย العربية עברית हिन्दी ελληνικά РУССКИЙ",
]


def tokenizer(vocabulary, lower, length=None):
    made = tokenizers.BertWordPieceTokenizer(f"{root}/vocab/bert-base-{vocabulary}-vocab.txt", lowercase=lower)
    if length:
        made.enable_truncation(length, strategy="longest_first")
    return made


def digest(encoding):
    text = " ".join(map(str, encoding.ids)) + "|" + " ".join(map(str, encoding.type_ids))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


rows = [line.rstrip("\n").split("\t") for line in open(f"{root}/glue/STS-B/dev.tsv", encoding="utf-8")][1:]
golden = {
    "version": tokenizers.__version__,
    "texts": [
        {"vocabulary": vocabulary, "lower_case": lower, "text": text,
         "ids": tokenizer(vocabulary, lower).encode(text, add_special_tokens=False).ids}
        for vocabulary, lower in (("uncased", True), ("uncased", False), ("chinese", True)) for text in TEXTS
    ],
    "pairs": [
        {"max_length": length,
         "digests": " ".join(digest(made.encode(row[7], row[8])) for row in rows)}
        for length in (128, 20, 15) for made in [tokenizer("uncased", True, length)]
    ],
}
print(json.dumps(golden, separators=(",", ":")).replace('{"vocabulary"', '\n{"vocabulary"').replace('{"max_length"', '\n{"max_length"'))
