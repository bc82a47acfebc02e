#!/usr/bin/env python3
"""Golden values for `src/metric/`: what scikit-learn and scipy answer, also where the answer is not obvious.

Made with Python 3.11, numpy 2.4.6, scikit-learn 1.9.1, scipy 1.17.1:
    pip install numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1
    python tests/golden/metrics.py > tests/golden/metrics.json
A value that is not a number is written as null.
"""
import json
import math
import warnings

import numpy
import scipy
import sklearn
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

warnings.simplefilter("ignore")
draw = numpy.random.default_rng(20181011)


def number(value):
    value = float(value)
    return value if math.isfinite(value) else None


def classes(name, predicted, gold):
    return {
        "case": name, "predicted": list(map(int, predicted)), "gold": list(map(int, gold)),
        "accuracy": number(accuracy_score(gold, predicted)),
        "f1": number(f1_score(gold, predicted)) if max([*predicted, *gold]) <= 1 else None,
        "mcc": number(matthews_corrcoef(gold, predicted)),
    }


def scores(name, predicted, gold):
    predicted, gold = numpy.asarray(predicted, "f4"), numpy.asarray(gold, "f4")
    # float32 inputs, as the model gives them; float64 arithmetic, as ours is.
    return {
        "case": name, "predicted": [float(x) for x in predicted], "gold": [float(x) for x in gold],
        "pearson": number(pearsonr(predicted.astype("f8"), gold.astype("f8"))[0]),
        "spearman": number(spearmanr(predicted.astype("f8"), gold.astype("f8"))[0]),
    }


gold = draw.integers(0, 2, 97)
gold3 = draw.integers(0, 3, 97)
score = draw.integers(0, 26, 83) / 5
cases = {
    "versions": {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__},
    "classes": [
        classes("binary, three quarters right", numpy.where(draw.random(97) < 0.75, gold, 1 - gold), gold),
        classes("binary, worse than chance", numpy.where(draw.random(97) < 0.2, gold, 1 - gold), gold),
        classes("binary, all right", gold, gold),
        classes("binary, all wrong", 1 - gold, gold),
        classes("binary, always 0", numpy.zeros(97), gold),
        classes("binary, always 1", numpy.ones(97), gold),
        classes("binary, one gold class", gold, numpy.ones(97)),
        classes("binary, only 0 predicted and gold", numpy.zeros(5), numpy.zeros(5)),
        classes("binary, only 1 predicted and gold", numpy.ones(5), numpy.ones(5)),
        classes("one example, right", [1], [1]),
        classes("one example, wrong", [1], [0]),
        classes("three classes", numpy.where(draw.random(97) < 0.6, gold3, (gold3 + 1) % 3), gold3),
        classes("three classes, one never predicted", numpy.minimum(gold3, 1), gold3),
    ],
    "scores": [
        scores("noisy", score + draw.normal(0, 0.8, 83), score),
        scores("negative", -score + draw.normal(0, 0.8, 83), score),
        scores("exact", score, score),
        scores("monotone but not linear", numpy.exp(score), score),
        scores("ties on both sides", numpy.round(score), numpy.round(score + draw.normal(0, 1, 83))),
        scores("large offset", 1000 + score / 10, score),
        scores("two examples", [1, 2], [5, 3]),
        scores("constant prediction", numpy.full(83, 2.5), score),
        scores("constant gold", score, numpy.full(83, 3)),
        scores("a prediction that is not a number", [1, float("nan"), 3], [1, 2, 3]),
    ],
}
for case in cases["scores"]:
    case["predicted"] = [x if math.isfinite(x) else None for x in case["predicted"]]
print(json.dumps(cases, indent=None, separators=(",", ":")).replace('{"case"', '\n{"case"'))
