#!/usr/bin/env python3
"""Golden ids and offsets for `tests/tokens`, by Hugging Face's BertTokenizer and by Google's rules (`google_rules.py`).

Made with Python 3.11 (Unicode 14.0), transformers 5.23.0 and tokenizers 0.23.3:
    pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3
    python tests/golden/tokens/tokens.py [OUT] [--realdata REALDATA]
writes into OUT (else beside this file) vocab-*.txt, nasty.json, code_points.json and, when REALDATA is given,
real.json. REALDATA holds vocab/, wikitext2/, glue/, squad/, swag/, resume_ner/ and plain/.

Another Python's Unicode changes what Google's code does with characters that Unicode 14.0 did not have yet:
such code points are not asked about in its name. They are listed in code_points.json, which a Python of another
Unicode reads from here.
"""
import argparse
import hashlib
import json
import pathlib
import sys
import unicodedata

import tokenizers
import transformers
from google_rules import AMENDMENTS, Rules, Vocabulary
from lines import HERE, code_points, fragments, nasty, real, rows
from vocabularies import capitalised, small

BLOCK = 16  # lines under one digest of ids and offsets
GOOGLE_BLOCK = 2048  # lines under one digest of Google's ids
CODE_BLOCK = 256
ASK_AT_ONCE = 8192
UNICODE = "14.0.0"
# Assigned long before Unicode 14.0, but of another category since: nonspacing, then spacing.
UNSTABLE = (0x1171E,)
VERSIONS = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "unicode": UNICODE}


def digest(texts):
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:8]


def blocks(items, size):
    return (items[at:at + size] for at in range(0, len(items), size))


def repeated(digests):
    """`x x x y` as `x*3 y`."""
    runs = []
    for one in digests:
        if runs and runs[-1][0] == one:
            runs[-1][1] += 1
        else:
            runs.append([one, 1])
    return " ".join(one if count == 1 else f"{one}*{count}" for one, count in runs)


def ranges(codes):
    found = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return " ".join(f"{first:X}" if first == last else f"{first:X}-{last:X}" for first, last in found)


def codes_of(text):
    for part in text.split():
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


class Mode:
    """A vocabulary, cased or not, read by both references."""

    def __init__(self, tokens, lower):
        self.lower = lower
        ids = {token: id for id, token in enumerate(tokens)}
        assert len(ids) == len(tokens)
        self.size = len(ids)
        self.tokenizer = transformers.BertTokenizer(vocab=dict(ids), do_lower_case=lower)
        self.vocabulary = Vocabulary(ids)
        self.google = Rules(lower)
        self.amended = Rules(lower, AMENDMENTS)
        self.without = [Rules(lower, set(AMENDMENTS) - {name}) for name in AMENDMENTS]
        self.alone = [Rules(lower, {name}) for name in AMENDMENTS]

    def hugging_face(self, lines):
        """Ids and offsets of each line, without [CLS] and [SEP]."""
        for part in blocks(lines, ASK_AT_ONCE):
            asked = self.tokenizer(part, add_special_tokens=False, return_offsets_mapping=True,
                                   return_token_type_ids=False, return_attention_mask=False, verbose=False)
            yield from zip(asked["input_ids"], asked["offset_mapping"])

    def classes(self, line, ids):
        """Bits of the amendments without any one of which the ids change; where two hide each other, of those
        that alone change Google's."""
        of = lambda rules: rules.tokens(line, self.vocabulary)
        assert of(self.amended) == ids, f"unknown difference: {line!r}"
        mask = sum(1 << bit for bit, rules in enumerate(self.without) if of(rules) != ids)
        google = of(self.google)
        mask = mask or sum(1 << bit for bit, rules in enumerate(self.alone) if of(rules) != google)
        assert mask, f"a difference without a class: {line!r}"
        return mask

    def about(self):
        return {"lower_case": self.lower, "vocabulary_tokens": self.size}


def compare(lines, mode):
    """Digests of both references, and the lines where they differ as `lines since the last.classes`."""
    exact, texts, differ, google = [], [], [], []
    counts = dict.fromkeys(AMENDMENTS, 0)
    last = tokens = 0
    for number, (line, (ids, offsets)) in enumerate(zip(lines, mode.hugging_face(lines), strict=True)):
        tokens += len(ids)
        exact.append(" ".join(f"{id}:{a}:{b}" for id, (a, b) in zip(ids, offsets)) + "\n")
        theirs = mode.google.tokens(line, mode.vocabulary)
        if theirs == ids:
            google.append(" ".join(map(str, theirs)) + "\n")
            continue
        google.append("-\n")
        mask = mode.classes(line, ids)
        for bit, name in enumerate(AMENDMENTS):
            counts[name] += mask >> bit & 1
        differ.append(f"{number - last}.{mask:x}")
        last = number
    return mode.about() | {
        "tokens": tokens,
        "hugging_face": " ".join(digest(part) for part in blocks(exact, BLOCK)),
        "google": " ".join(digest(part) for part in blocks(google, GOOGLE_BLOCK)),
        "differing": len(differ), "of_which": counts, "differ": " ".join(differ),
    }


def compare_code_points(mode, not_asked):
    """Digests per 256 code points, and the code points where the references differ, by class."""
    exact, google = [], []
    differ = {name: [] for name in AMENDMENTS}
    for first in range(0, 0x110000, CODE_BLOCK):
        lines = code_points(first, first + CODE_BLOCK)
        answers = list(mode.hugging_face(lines)) if lines else []
        exact.append(digest(" ".join(f"{id}:{a}:{b}" for id, (a, b) in zip(ids, offsets)) + "\n" for ids, offsets in answers))
        theirs = []
        for line, (ids, _) in zip(lines, answers):
            code = ord(line[-1])
            if code in not_asked:
                theirs.append("-\n")
                continue
            found = mode.google.tokens(line, mode.vocabulary)
            theirs.append(" ".join(map(str, found)) + "\n" if found == ids else "-\n")
            if found != ids:
                mask = mode.classes(line, ids)
                assert mask.bit_count() == 1, f"U+{code:04X}"
                differ[list(AMENDMENTS)[mask.bit_length() - 1]].append(code)
        google.append(digest(theirs))
    return mode.about() | {
        "hugging_face": repeated(exact), "google": repeated(google),
        "differ": {name: ranges(codes) for name, codes in differ.items() if codes},
    }


def pairs(tokenizer, root):
    """STS-B's development pairs, cut: digests of "ids|segments"."""
    lines = [row.split("\t") for row in rows(root / "glue" / "STS-B" / "dev.tsv")[1:]]
    for length in (128, 20, 15):
        asked = tokenizer([row[7] for row in lines], [row[8] for row in lines], truncation="longest_first",
                          max_length=length, return_token_type_ids=True)
        yield {"max_length": length, "digests": " ".join(
            digest([" ".join(map(str, ids)), "|", " ".join(map(str, segments))])
            for ids, segments in zip(asked["input_ids"], asked["token_type_ids"]))}


def write(out, name, golden):
    text = json.dumps(VERSIONS | golden, indent=1, ensure_ascii=True)
    (out / name).write_text(text + "\n", encoding="ascii")
    print(f"{out / name}: {len(text) + 1} bytes")


def not_asked_about():
    if unicodedata.unidata_version == UNICODE:
        unassigned = {code for code in range(0x110000) if unicodedata.category(chr(code)) == "Cn"}
        # These will never be characters, in no version.
        noncharacters = {*range(0xFDD0, 0xFDF0), *(plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF))}
        return unassigned - noncharacters | set(UNSTABLE)
    return set(codes_of(json.loads((HERE / "code_points.json").read_text())["google_not_asked"]))


def main():
    parser = argparse.ArgumentParser(description="Golden token ids and offsets.")
    parser.add_argument("out", nargs="?", type=pathlib.Path, default=HERE)
    parser.add_argument("--realdata", type=pathlib.Path)
    arguments = parser.parse_args()
    out, root = arguments.out, arguments.realdata
    out.mkdir(parents=True, exist_ok=True)
    print(f"Python {sys.version.split()[0]}, Unicode {unicodedata.unidata_version},",
          ", ".join(f"{name} {version}" for name, version in VERSIONS.items() if name != "unicode"))

    made = {name: small(lower, chinese) for name, lower, chinese in
            (("cased", False, False), ("uncased", True, False), ("chinese", True, True))}
    for name, tokens in made.items():
        (out / f"vocab-{name}.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8", newline="")
    modes = {name: Mode(tokens, name != "cased") for name, tokens in made.items()}

    not_asked = not_asked_about()
    assert not not_asked & {ord(char) for fragment in fragments() for char in fragment}
    write(out, "code_points.json", {
        "google_not_asked": ranges(sorted(not_asked)),
        "modes": {name: compare_code_points(modes[name], not_asked) for name in ("cased", "uncased")},
    })
    classes = {"block": BLOCK, "google_block": GOOGLE_BLOCK, "classes": list(AMENDMENTS)}
    lines = nasty()
    write(out, "nasty.json", classes | {
        "lines": len(lines), "modes": {name: compare(lines, mode) for name, mode in modes.items()},
    })
    if root is None:
        print("skipped: real.json (no --realdata)")
        return
    uncased, chinese = (rows(root / "vocab" / f"bert-base-{name}-vocab.txt") for name in ("uncased", "chinese"))
    modes = {"cased": Mode(capitalised(uncased), False), "uncased": Mode(uncased, True), "chinese": Mode(chinese, True)}
    lines = real(root)
    write(out, "real.json", classes | {
        "lines": len(lines), "distinct": len(set(lines)),
        "modes": {name: compare(lines, mode) for name, mode in modes.items()},
        "pairs": list(pairs(modes["uncased"].tokenizer, root)),
    })


if __name__ == "__main__":
    main()
