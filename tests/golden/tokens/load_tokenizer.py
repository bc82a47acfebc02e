#!/usr/bin/env python3
"""Do Hugging Face's libraries read the tokenizer files that bertbench writes, and encode as it does?

Made for transformers 5.23.0 and tokenizers 0.23.3:
    BERTBENCH_PARITY_OUT=DIR cargo test --release --test integration write_tokenizer_folders -- --ignored
    python tests/golden/tokens/load_tokenizer.py DIR/cased DIR/uncased DIR/chinese
Each folder is read by AutoTokenizer, by the tokenizers package (tokenizer.json alone) and as BertTokenizer(vocab.txt).
They must agree with each other on every fragment, alone and in pairs, and with the ids and segments in encoded.json,
which the test above writes; a folder without it, such as a trained model, is only held against itself.
"""
import json
import pathlib
import sys

import tokenizers
import transformers
from lines import fragments

LONGEST = 64


def examples(folder):
    """Pairs (first, second or None), and what bertbench made of each, if that is known."""
    if (folder / "encoded.json").exists():
        encoded = json.loads((folder / "encoded.json").read_text(encoding="utf-8"))
        return [(one["first"], one["second"]) for one in encoded], [(one["ids"], one["segments"]) for one in encoded]
    texts = fragments()
    return [(text, None) for text in texts] + list(zip(texts, texts[1:])), None


def by_transformers(tokenizer, pairs):
    """One batch of singles and one of pairs, as training scripts ask; asked one by one, transformers takes an empty
    second text for none."""
    made = {}
    for paired in (False, True):
        where = [at for at, (_, second) in enumerate(pairs) if (second is not None) == paired]
        texts = [[pairs[at][text] for at in where] for text in range(1 + paired)]
        asked = tokenizer(*texts, truncation="longest_first", max_length=LONGEST, return_token_type_ids=True)
        made.update(zip(where, zip(asked["input_ids"], asked["token_type_ids"])))
    return [made[at] for at in range(len(pairs))]


def by_tokenizers(path, pairs):
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    assert tokenizer.padding is None and tokenizer.truncation is None, "it pads or cuts"
    tokenizer.enable_truncation(LONGEST, strategy="longest_first")
    for first, second in pairs:
        made = tokenizer.encode(first, second)
        yield made.ids, made.type_ids


def check(folder):
    pairs, ours = examples(folder)
    loaded = transformers.AutoTokenizer.from_pretrained(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    lower = settings["do_lower_case"]
    assert type(loaded).__name__ == "BertTokenizer", type(loaded)
    assert loaded.do_lower_case is lower and loaded.model_max_length == settings["model_max_length"]
    # A capital stays where the model is cased, and where it is not, it is one with its small letter.
    kept = loaded.backend_tokenizer.normalizer.normalize_str("É")
    assert kept == ("e" if lower else "É"), kept
    plain = transformers.BertTokenizer(vocab=str(folder / "vocab.txt"), do_lower_case=lower)
    for name in ("pad", "unk", "cls", "sep", "mask"):
        assert getattr(loaded, f"{name}_token_id") == getattr(plain, f"{name}_token_id"), name
    readings = {
        "AutoTokenizer": by_transformers(loaded, pairs),
        "BertTokenizer": by_transformers(plain, pairs),
        "tokenizer.json": list(by_tokenizers(folder / "tokenizer.json", pairs)),
    }
    expected = ours or readings["BertTokenizer"]
    wrong = 0
    for name, reading in readings.items():
        for pair, found, wanted in zip(pairs, reading, expected, strict=True):
            if (list(found[0]), list(found[1])) != (list(wanted[0]), list(wanted[1])):
                wrong += 1
                print(f"{folder}: {name} reads {pair!r} as {found}, not {wanted}", file=sys.stderr)
    against = "bertbench's" if ours else "BertTokenizer's"
    print(f"{folder}: do_lower_case {lower}, {len(pairs)} singles and pairs, {wrong} other than {against}")
    return wrong


def main():
    print(f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    folders = [pathlib.Path(folder) for folder in sys.argv[1:]]
    if not folders:
        sys.exit("usage: load_tokenizer.py FOLDER...")
    if sum([check(folder) for folder in folders]):
        sys.exit(1)


if __name__ == "__main__":
    main()
