#!/usr/bin/env python3
"""Golden values for `src/stats/`: what SciPy, statsmodels and scikit-learn answer.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0:
    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 statsmodels==0.15.0
    python tests/golden/stats.py > tests/golden/stats.json
"""
import itertools
import json
import warnings

import numpy
import pandas
from scipy.optimize import brentq
from scipy.stats import bootstrap, norm, pearsonr, permutation_test, spearmanr, ttest_ind
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from statsmodels.formula.api import ols
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

warnings.simplefilter("ignore")
draw = numpy.random.default_rng(20181011)


def mcnemar_case(b, c):
    exact = b + c < 25
    return {"only_first": b, "only_second": c, "exact": exact,
            "p_value": float(mcnemar([[50, b], [c, 50]], exact=exact, correction=True).pvalue)}


def wilson_case(count, examples, level):
    low, high = proportion_confint(count, examples, alpha=1 - level, method="wilson")
    return {"share": count / examples, "examples": examples, "level": level, "low": float(low), "high": float(high)}


def smallest_case(examples, discordant, alpha=0.05, power=0.8):
    """Connor's formula, solved by Brent's method; the power at that difference by simulation as Card et al. 2020 do."""
    z = norm.ppf(1 - alpha / 2), norm.ppf(power)
    needed = lambda d: ((z[0] * discordant**0.5 + z[1] * (discordant - d * d)**0.5) / d)**2 - examples
    difference = brentq(needed, 1e-9, discordant, xtol=1e-14) if needed(discordant) <= 0 else None
    simulated = None
    if difference is not None:
        shares = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
        tables = draw.multinomial(examples, shares, 4000)
        p = [mcnemar([[0, b], [c, 0]], exact=b + c < 25, correction=True).pvalue for b, c, _ in tables]
        simulated = float(numpy.mean(numpy.array(p) < alpha))
    return {"examples": examples, "discordant": discordant, "alpha": alpha, "power": power,
            "difference": difference, "simulated_power": simulated}


def best_case(scores, trials):
    """By enumeration: the mean of the best over all equally likely draws."""
    best = [max(drawn) for drawn in itertools.product(scores, repeat=trials)]
    return {"scores": scores, "trials": trials, "expected": float(numpy.mean(best))}


def effects_case(rows, levels):
    scores = [round(float(0.6 + 0.02 * row[0] - 0.01 * row[1] + 0.01 * draw.normal()), 6) for row in rows]
    names = [f"f{at}" for at in range(len(levels))]
    frame = pandas.DataFrame(rows, columns=names).assign(score=scores)
    terms = [name for name, count in zip(names, levels) if count > 1]
    fitted = ols("score ~ " + " + ".join(f"C({name}, Sum)" for name in terms), frame).fit()
    found = []
    for name, count in zip(names, levels):
        of_factor = []
        for level in range(count if count > 1 else 0):
            contrast = numpy.zeros(len(fitted.params))
            places = [i for i, p in enumerate(fitted.params.index) if p.startswith(f"C({name}, Sum)")]
            if level + 1 < count:
                contrast[places[level]] = 1
            else:
                contrast[places] = -1
            test = fitted.t_test(contrast)
            low, high = test.conf_int(alpha=0.05)[0]
            of_factor.append([float(test.effect[0]), float(low), float(high)])
        found.append(of_factor)
    return {"scores": scores, "rows": [list(map(int, row)) for row in rows], "levels": levels, "effects": found}


def resampled_case(name, metric, gold, first, second, resamples=2_000):
    gold, first, second = map(numpy.asarray, (gold, first, second))
    of = lambda g, x, y: metric(g, y) - metric(g, x)
    interval = lambda statistic, data: [float(end) for end in bootstrap(
        data, statistic, paired=True, vectorized=False, n_resamples=3_000, method="percentile",
        rng=numpy.random.default_rng(7)).confidence_interval]
    test = permutation_test((first, second), lambda x, y: of(gold, x, y), permutation_type="samples", vectorized=False,
                            n_resamples=resamples, rng=numpy.random.default_rng(7))
    return {
        "case": name, "gold": gold.tolist(), "first": first.tolist(), "second": second.tolist(),
        "difference": float(of(gold, first, second)),
        "score_interval": interval(metric, (gold, second)),
        "difference_interval": interval(of, (gold, first, second)),
        "p_value": float(test.pvalue),
    }


def welch_case(first, second):
    test = ttest_ind(second, first, equal_var=False)
    low, high = test.confidence_interval(0.95)
    return {"first": first, "second": second, "degrees_of_freedom": float(test.df), "p_value": float(test.pvalue),
            "low": float(low), "high": float(high)}


def flipped(gold, wrong):
    return [int(g) ^ int(draw.random() < wrong) for g in gold]


gold = (draw.random(120) < 0.6).astype(int)
first, second = flipped(gold, 0.3), flipped(gold, 0.2)
target = numpy.round(draw.random(100) * 5, 2)
near = lambda noise: numpy.round(target + noise * draw.normal(size=100), 3)
full = list(itertools.product(range(2), range(3), range(2)))
print(json.dumps({
    "mcnemar": [mcnemar_case(b, c) for b, c in
                [(0, 0), (1, 0), (0, 6), (5, 5), (3, 12), (12, 12), (20, 4), (12, 13), (9, 16), (40, 12), (7, 30), (500, 430)]],
    "wilson": [wilson_case(*case) for case in
               [(0, 10, 0.95), (10, 10, 0.95), (184, 277, 0.95), (40, 71, 0.9), (8000, 9815, 0.99)]],
    "welch": [welch_case(*case) for case in
              [([0.71, 0.74], [0.78, 0.77]), ([0.66, 0.7, 0.69], [0.71, 0.65, 0.74]),
               ([0.5, 0.52, 0.51, 0.49, 0.5], [0.55, 0.6])]],
    "holm": [{"p_values": p, "adjusted": [float(x) for x in multipletests(p, method="holm")[1]]} for p in
             [[0.01], [0.04, 0.01, 0.03], [0.001, 0.8, 0.02, 0.02, 0.6, 0.049], [0.5, 0.5]]],
    "smallest_difference": [smallest_case(*case) for case in
                            [(277, 0.1), (71, 0.1), (20, 0.1), (872, 0.06), (1043, 0.2), (9815, 0.1), (40430, 0.15)]],
    "expected_best": [best_case(scores, trials) for scores in ([0.7, 0.65, 0.72, 0.72], [0.5], [0.1, -0.2, 0.4, 0.3, 0.35])
                      for trials in (1, 2, 4)],
    "main_effects": [effects_case(full, [2, 3, 2]), effects_case(full * 2 + full[:5], [2, 3, 2]),
                     effects_case([(a, b, 0) for a in range(2) for b in range(3)] * 2, [2, 3, 1])],
    "resampled": [
        resampled_case("accuracy", accuracy_score, gold, first, second),
        resampled_case("f1", f1_score, gold, first, second),
        resampled_case("mcc", matthews_corrcoef, gold, first, second),
        resampled_case("pearson", lambda g, x: pearsonr(x, g)[0], target, near(1.2), near(0.9)),
        resampled_case("spearman", lambda g, x: spearmanr(x, g)[0], target, near(1.2), near(1.1)),
    ],
}, separators=(",", ":")))
