#!/usr/bin/env python3
"""Golden values for `src/metric/squad/`: what SQuAD's official scripts answer, and what Python takes for a word.

Made with Python 3.11 (Unicode 14.0; from 3.12 on `sum` of floats rounds otherwise) and numpy 2.4.6. AllenNLP 0.9.0
carries evaluate-v1.1.py unchanged, FARM 0.8.0 the functions of evaluate-v2.0.py unchanged (and more, unused here):
    pip install numpy==2.4.6 && pip install --no-deps allennlp==0.9.0 farm==0.8.0
    python tests/golden/squad.py REALDATA/squad/halfB.json > tests/golden/squad.json
REALDATA/squad/halfB.json is half of SQuAD's official dev set; its predictions are made by `fake`.
"""
import contextlib
import importlib.util
import json
import pathlib
import random
import re
import sys
import unicodedata

assert sys.version_info[:2] == (3, 11), sys.version


def official(path):
    """A module by its file: its package would import more than is installed."""
    file = next(file for folder in sys.path if (file := pathlib.Path(folder, path)).is_file())
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


v1 = official("allennlp/tools/squad_eval.py")
v2 = official("farm/evaluation/squad_evaluation.py")
draw = random.Random(1606_05250)


def dataset(questions):
    """SQuAD's layout around (references) by number."""
    qas = [{"id": str(i), "answers": [{"text": text} for text in references]} for i, (_, references) in enumerate(questions)]
    return [{"title": "", "paragraphs": [{"context": "", "qas": qas}]}]


def predictions(questions):
    return {str(i): prediction for i, (prediction, _) in enumerate(questions) if prediction is not None}


def listed(questions):
    return [{"prediction": prediction, "references": references} for prediction, references in questions]


def score_v1(questions):
    return v1.evaluate(dataset(questions), predictions(questions))


def score_v2(questions, odds, threshold):
    """What `main` of evaluate-v2.0.py does between its files, without its plots."""
    data, preds = dataset(questions), predictions(questions)
    na_probs = {k: 0.0 for k in preds} if odds is None else {str(i): x for i, x in enumerate(odds)}
    has_ans = v2.make_qid_to_has_ans(data)
    with contextlib.redirect_stdout(sys.stderr):  # where it says which prediction is missing
        exact_raw, f1_raw = v2.get_raw_scores(data, preds)
    exact, f1 = (v2.apply_no_ans_threshold(raw, na_probs, has_ans, threshold) for raw in (exact_raw, f1_raw))
    result = v2.make_eval_dict(exact, f1)
    for prefix, wanted in (("HasAns", True), ("NoAns", False)):
        if ids := [k for k, v in has_ans.items() if v == wanted]:
            try:
                v2.merge_eval(result, v2.make_eval_dict(exact, f1, qid_list=ids), prefix)
            except KeyError:  # the script stops at a missing prediction; what it says of all questions is compared
                pass
    if odds is not None:
        v2.find_all_best_thresh(result, preds, exact_raw, f1_raw, na_probs, has_ans)
    return result


NASTY = [
    "", " ", ".", "the", "A", "an.", "The the THE", "the theatre", "theatre the", "a a b", "an-other", "t-h-e x", "'a'",
    "(a) b", "a_b", "_the_", "_a", "the\u00a0end", "the\u2009end", "x\u001cthe\u001dy\u001ea\u001fz", "x\u0085y",
    "x\u200by", "\ufeffthe x", "a\u0301 b", "\u00e1 b", "thé", "the\u0301", "a\u0903 b", "the\u093f x", "an\u0345", "\u24d0 a",
    "\u24b6", "a\u00b2", "\u00bd the", "a\u2460", "the\u4e2d\u56fd", "\u4e2d the \u56fd", "İstanbul", "İ", "ΟΔΟΣ", "ΣΑΣ Σ", "Σ.", "ΑΣ'Α",
    "ß", "ẞ", "SS", "\u01c5", "\u212a", "A\u030a", "\u0130\u0049", "the\U0001f642", "\U0001f642a\U0001f642", "«the»", "\u2014the\u2014",
    "\uff01the\uff01", "\uff34\uff28\uff25", "$5", "5", "1,000", "1000", "1 000", "U.S.", "us", "the U.S.A", "usa", "x\ty\nz\r\n",
    "\u3000the\u3000x", "a\u1680b", "a\u180eb", "a\u2028b", "ªa", "a\u00aa", "the\u0661", "an\u17b4x", "\U00010450the", "the\U0001d7d8",
]
WORDS = [*NASTY, "Denver", "Broncos", "denver", "broncos,", "New", "York", "1066", "(1895", "1943).", "of", "and", "Santa", "Clara's"]


def text():
    return draw.choice([" ", " ", " ", "", "  ", "-"]).join(draw.choice(WORDS) for _ in range(draw.randrange(6)))


def near(reference):
    """A prediction that often shares words with the reference."""
    words = reference.split(" ")
    for _ in range(draw.randrange(3)):
        if words and draw.random() < 0.6:
            words.pop(draw.randrange(len(words)))
        else:
            words.insert(draw.randrange(len(words) + 1), draw.choice(WORDS))
    return " ".join(words)


def question(missing, impossible):
    references = [] if draw.random() < impossible else [text() for _ in range(draw.randrange(1, 5))]
    if draw.random() < missing:
        return None, references
    return (near(draw.choice(references)) if references else draw.choice(["", "", text()])), references


def v1_case(name, questions):
    return {"case": name, "questions": listed(questions), **score_v1(questions)}


def v2_case(name, questions, odds=None, threshold=1.0):
    result = score_v2(questions, odds, threshold)
    return {"case": name, "questions": listed(questions), "odds": odds, "threshold": threshold, "result": result}


every_pair = [(prediction, [reference]) for prediction in NASTY for reference in draw.sample(NASTY, 4) + [prediction]]
plain = [("Denver Broncos", ["Denver Broncos", "The Denver Broncos"]), ("the broncos", ["Denver Broncos", "broncos", "x"]),
         ("a b b c", ["b b b", "c d"]), ("x", ["y"])]
v1_cases = [
    v1_case("plain", plain), v1_case("every nasty text", every_pair),
    v1_case("one third", [("x", ["x"]), ("x", ["y"]), ("y", ["x"])]),
    v1_case("nothing predicted", [(None, ["x"]), ("x", ["x"])]), v1_case("empty", [("", ["x"]), ("", ["the"]), ("", [""])]),
    *(v1_case(f"random {n}", [question(0.05, 0) for _ in range(draw.randrange(10, 40))]) for n in range(20)),
]
gone = [("", []), ("x", []), ("", ["the"]), ("a", ["."]), ("", ["x"]), ("the", ["x"]), ("x", ["x", "."]), (".", [])]
v2_cases = [
    v2_case("plain", plain), v2_case("every nasty text", every_pair), v2_case("no answers", gone),
    v2_case("only impossible", [("", []), ("x", []), ("the", [])], [0.5, 0.2, 0.2], 0.3),
    v2_case("no answers, with odds", gone, [0.5, 2.0, 1.0, 1.5, -1.0, 0.5, 0.25, 0.5]),
    v2_case("equal odds", gone + plain, [0.5] * 12, 0.5),
    v2_case("nothing predicted", [(None, ["x"]), ("x", ["x"]), (None, []), ("", [])], [0.1, 0.2, 0.3, 0.4]),
]
for n in range(20):
    questions = [question(0.1 if n % 5 == 4 else 0, 0.4) for _ in range(draw.randrange(10, 40))]
    odds = [draw.choice([draw.gauss(0, 3), draw.randrange(-2, 3)]) for _ in questions] if n % 4 else None
    v2_cases.append(v2_case(f"random {n}", questions, odds, draw.choice([1.0, 0.0, -2.0, 5.5]) if odds else 1.0))


def fake(number, context, answers):
    """A prediction that both sides can compute: text, or None for a question that is passed over."""
    first, start = answers[0]["text"], answers[0]["answer_start"]
    words = first.split(" ")
    return [first, " ".join(words[1:]), " ".join(words[:-1]), f"The {first.lower()}.",
            context[max(0, start - 7):start + len(first) + 5], "", None, answers[-1]["text"]][number % 8]


def half_b(file):
    articles = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))["data"]
    asked = [(p["context"], qa["answers"]) for article in articles for p in article["paragraphs"] for qa in p["qas"]]
    texts = [[answer["text"] for answer in answers] for _, answers in asked]
    faked = [fake(i, context, answers) for i, (context, answers) in enumerate(asked)]
    answered = list(zip(faked, texts))
    # Every fifth question loses its answers; no prediction is missing, which would stop evaluate-v2.0.py.
    some = [(prediction or "", [] if i % 5 == 0 else references) for i, (prediction, references) in enumerate(answered)]
    odds = [(i * 7919 % 1000) / 100 - 3 for i in range(len(some))]
    return {"questions": len(asked), "v1": score_v1(answered), "v2": score_v2(some, None, 1.0),
            "v2 with odds": score_v2(some, odds, 4.0)}


def ranges(holds):
    """First, last, first, last of the code points that it holds for."""
    found = []
    for code_point in range(0x110000):
        if 0xD800 <= code_point < 0xE000 or not holds(chr(code_point)):
            continue
        if found and found[-1] == code_point - 1:
            found[-1] = code_point
        else:
            found += [code_point, code_point]
    return found


characters = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
normalized = NASTY + [text() for _ in range(300)]
golden = {
    "versions": {"python": sys.version.split()[0], "unicode": unicodedata.unidata_version, "allennlp": "0.9.0", "farm": "0.8.0"},
    "unicode": {
        "words": ranges(lambda c: re.match(r"\w", c)), "spaces": ranges(lambda c: not c.split()),
        "unassigned": ranges(lambda c: unicodedata.category(c) == "Cn"),
        "lower": {c: c.lower() for c in characters if c.lower() != c},
    },
    "normalize": {one: v1.normalize_answer(one) for one in normalized},
    "v1": v1_cases, "v2": v2_cases, "half_b": half_b(sys.argv[1]),
}
assert all(v2.normalize_answer(one) == v1.normalize_answer(one) for one in normalized)
print(json.dumps(golden, separators=(",", ":"), ensure_ascii=False))
