#!/usr/bin/env python3
"""Golden values for `src/metric/entities.rs`: what seqeval and conlleval answer, above all to odd sequences.

Made with Python 3.11, seqeval 1.2.2 (its default mode), conlleval 0.2 (a Python edition of the Perl script):
    pip install seqeval==1.2.2 conlleval==0.2
    python tests/golden/entities.py [--perl conlleval.pl] > tests/golden/entities.json

A case holds sentences, each a string of tags, with the entities of the gold tags as [type, first, after last],
and the scores of the whole case. Both programs must agree on every count or this script fails; --perl asks the
original script as well wherever it can answer (it knows B, I and O). Two conventions need a word:
- nothing found: precision 0, as in the original and in seqeval; the Python edition says 1, so its counts are
  compared and not its shares.
- M (Chinese corpora) is another spelling of I. seqeval and conlleval do not know it; in well-formed sequences
  they read it so all the same, which is asserted, and in odd ones it is written I for them here.
"""
import argparse
import importlib.metadata
import json
import random
import re
import subprocess
import warnings

from conlleval.conlleval import evaluate
from seqeval.metrics import accuracy_score, classification_report
from seqeval.metrics.sequence_labeling import get_entities

warnings.simplefilter("ignore")
draw = random.Random(20030531)
parser = argparse.ArgumentParser()
parser.add_argument("--perl", help="the original conlleval.pl")
perl = parser.parse_args().perl


def spans(tags):
    return [["" if kind == "_" else kind, first, last + 1] for kind, first, last in get_entities(tags)]


def by_seqeval(gold, predicted):
    rows = classification_report(gold, predicted, output_dict=True, zero_division=0)
    rows = {"" if kind == "_" else kind: row for kind, row in rows.items()}
    counts = {}
    for one, sentences in (("gold", gold), ("found", predicted)):
        for tags in sentences:
            for kind, *_ in spans(tags):
                counts.setdefault(kind, {"found": 0, "gold": 0, "correct": 0})[one] += 1
    for a, b in zip(gold, predicted):
        for span in spans(a):
            counts[span[0]]["correct"] += span in spans(b)
    scored = {kind: {**counts[kind], "precision": rows[kind]["precision"], "recall": rows[kind]["recall"],
                     "f1": rows[kind]["f1-score"]} for kind in sorted(counts)}
    assert all(rows[kind]["support"] == counts[kind]["gold"] for kind in counts)
    total = {what: sum(row[what] for row in counts.values()) for what in ("found", "gold", "correct")}
    micro = rows.get("micro avg", {"precision": 0.0, "recall": 0.0, "f1-score": 0.0})
    total |= {"precision": micro["precision"], "recall": micro["recall"], "f1": micro["f1-score"]}
    return {"overall": total, "kinds": scored, "accuracy": accuracy_score(gold, predicted)}


def lines(gold, predicted):
    for a, b in zip(gold, predicted):
        yield from (f"w {x} {y}" for x, y in zip(a, b))
        yield ""


def by_conlleval(gold, predicted):
    found = evaluate(lines(gold, predicted))
    one = lambda row: {"found": row["stats"]["pred"], "gold": row["stats"]["gold"], "correct": row["stats"]["correct"]}
    slots = {kind: one(row) for kind, row in found["slots"]["chunks"].items()}
    return one(found["overall"]["chunks"]), slots


def by_perl(gold, predicted):
    text = subprocess.run(["perl", perl], input="\n".join(lines(gold, predicted)) + "\n", text=True,
                          capture_output=True, check=True).stdout
    gold, found, correct = re.search(r"with (\d+) phrases; found: (\d+) phrases; correct: (\d+)", text).groups()
    shares = re.search(r"accuracy: +([\d.]+)%; precision: +([\d.]+)%; recall: +([\d.]+)%; FB1: +([\d.]+)", text)
    return {"found": int(found), "gold": int(gold), "correct": int(correct)}, [float(x) for x in shares.groups()]


def counted(row):
    return {what: row[what] for what in ("found", "gold", "correct")}


def case(name, gold, predicted):
    written = {"case": name, "gold": [" ".join(tags) for tags in gold], "predicted": [" ".join(tags) for tags in predicted]}
    inside = lambda sentences: [[re.sub("^M-", "I-", tag) for tag in tags] for tags in sentences]
    if "well-formed" in name:
        assert [spans(tags) for tags in gold + predicted] == [spans(tags) for tags in inside(gold + predicted)]
    gold, predicted = inside(gold), inside(predicted)
    scores = by_seqeval(gold, predicted)
    overall, slots = by_conlleval(gold, predicted)
    assert overall == counted(scores["overall"]), (name, overall, scores)
    assert all(slots[kind] == counted(row) for kind, row in scores["kinds"].items() if kind), (name, slots, scores)
    letters = {tag[0] for tags in gold + predicted for tag in tags}
    if perl and letters <= set("BIO"):
        overall, shares = by_perl(gold, predicted)
        assert overall == counted(scores["overall"]), (name, overall, scores)
        row = scores["overall"]
        ours = [scores["accuracy"], row["precision"], row["recall"], row["f1"]]
        assert all(abs(100 * a - b) < 0.00501 for a, b in zip(ours, shares)), (name, ours, shares)
    return written | {"entities": [spans(tags) for tags in gold]} | scores


def odd(prefixes, types, length):
    """Any tag after any other."""
    tags = [f"{prefix}-{kind}" for prefix in prefixes for kind in types] + ["O"] * len(types)
    return [draw.choice(tags) for _ in range(length)]


def well_formed(single, inside, last, types, length):
    """Entities of one to four words and gaps; `first inside last` and `single`."""
    tags = []
    while len(tags) < length:
        kind, words = draw.choice(types), draw.randint(1, 4)
        if draw.random() < 0.4:
            tags += ["O"] * words
        elif words == 1:
            tags += [f"{single}-{kind}"]
        else:
            tags += [f"B-{kind}", *[f"{inside}-{kind}"] * (words - 2), f"{last}-{kind}"]
    return tags


def changed(sentences, prefixes, types, share):
    return [[odd(prefixes, types, 1)[0] if draw.random() < share else tag for tag in tags] for tags in sentences]


def many(name, prefixes, types, sentence, cases):
    for number in range(cases):
        gold = [sentence(draw.randint(1, 9)) for _ in range(draw.randint(1, 4))]
        share = draw.choice([0.0, 0.1, 0.3, 1.0])
        yield case(f"{name} {number}", gold, changed(gold, prefixes, types, share))


hand_made = {
    "all right": ("B-PER I-PER O B-LOC", "B-PER I-PER O B-LOC"),
    "nothing found": ("B-PER I-PER O B-LOC", "O O O O"),
    "nothing to find": ("O O O", "B-PER O I-LOC"),
    "neither": ("O O O", "O O O"),
    "one word": ("B-PER", "B-PER"),
    "I after O begins": ("O I-PER I-PER", "O B-PER I-PER"),
    "another type begins": ("B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC"),
    "I after another I": ("I-PER I-LOC I-PER", "B-PER B-LOC B-PER"),
    "B after B": ("B-PER B-PER I-PER", "B-PER I-PER I-PER"),
    "right words, wrong type": ("B-PER I-PER O", "B-LOC I-LOC O"),
    "type changes within": ("B-PER I-PER I-PER", "B-PER I-LOC I-PER"),
    "too short": ("B-PER I-PER I-PER", "B-PER I-PER O"),
    "too long": ("B-PER I-PER O", "B-PER I-PER I-PER"),
    "one begins late": ("B-PER I-PER I-PER", "O B-PER I-PER"),
    "side by side": ("B-PER B-PER B-PER", "B-PER B-PER B-PER"),
    "sentence of ends": ("E-PER E-PER E-PER", "S-PER S-PER S-PER"),
    "S then I": ("S-PER I-PER E-PER", "S-PER B-PER E-PER"),
    "S then E": ("S-PER E-PER O", "S-PER S-PER O"),
    "E then I": ("B-PER E-PER I-PER", "B-PER E-PER B-PER"),
    "I then S": ("B-PER I-PER S-PER", "B-PER I-PER B-PER"),
    "B then S": ("B-PER S-PER", "B-PER B-PER"),
    "E after O": ("O E-PER O", "O S-PER O"),
    "hyphens in types": ("B-PER-NAM I-PER-NAM I-PER", "B-PER-NAM I-PER-NAM B-PER"),
    "no types at all": ("B I O I B", "B I O B B"),
    "M well-formed": ("B-ORG M-ORG M-ORG E-ORG S-ORG B-PER E-PER", "B-ORG M-ORG E-ORG O S-ORG B-PER E-PER"),
    "M after O": ("O M-ORG M-ORG O", "O B-ORG M-ORG O"),
    "M then B": ("B-ORG M-ORG B-ORG", "B-ORG E-ORG B-ORG"),
    "E then M": ("B-ORG E-ORG M-ORG", "B-ORG E-ORG B-ORG"),
    "M then S": ("B-ORG M-ORG S-ORG", "B-ORG M-ORG S-ORG"),
}
cases = [case(name, [a.split()], [b.split()]) for name, (a, b) in hand_made.items()]
# An entity does not go on in the next sentence, and a type may be predicted that is nowhere gold.
cases.append(case("two sentences", [["O", "B-PER"], ["I-PER", "O"]], [["O", "B-PER"], ["B-PER", "I-LOC"]]))
abc = ["A", "B", "C-D"]
cases += many("odd, B I", "BI", abc, lambda words: odd("BI", abc, words), 140)
cases += many("odd, B I, one type", "BI", ["A"], lambda words: odd("BI", ["A"], words), 60)
cases += many("well-formed IOB2", "BI", abc, lambda words: well_formed("B", "I", "I", abc, words), 30)
cases += many("odd, B I E S", "BIES", abc, lambda words: odd("BIES", abc, words), 100)
cases += many("odd, B I E S, one type", "BIES", ["A"], lambda words: odd("BIES", ["A"], words), 60)
cases += many("BIOES", "BIES", abc, lambda words: well_formed("S", "I", "E", abc, words), 30)
cases += many("odd, B M E S", "BMES", ["A", "B"], lambda words: odd("BMES", ["A", "B"], words), 60)
versions = {name: importlib.metadata.version(name) for name in ("seqeval", "conlleval")}
text = json.dumps({"versions": versions, "cases": cases}, separators=(",", ":"))
print(text.replace('{"case"', '\n{"case"'))
