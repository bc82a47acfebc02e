#!/usr/bin/env python3
"""Golden values for the pages about two models: confusion matrices, reliability diagrams, calibration error, residuals.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1:
    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python tests/golden/understanding.py > tests/golden/understanding.json
"""
import json

import numpy
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_score, recall_score

draw = numpy.random.default_rng(20181011)


def confusion_case(examples, classes):
    gold = draw.integers(classes, size=examples)
    predicted = numpy.where(draw.random(examples) < 0.7, gold, draw.integers(classes, size=examples))
    labels = range(classes)
    return {"gold": gold.tolist(), "predicted": predicted.tolist(), "classes": classes,
            "matrix": confusion_matrix(gold, predicted, labels=labels).ravel().tolist(),
            "recall": recall_score(gold, predicted, labels=labels, average=None, zero_division=0).tolist(),
            "precision": precision_score(gold, predicted, labels=labels, average=None, zero_division=0).tolist()}


def calibration_case(examples, classes, bins, sharpness):
    logits = (sharpness * draw.normal(size=(examples, classes))).astype(numpy.float32).astype(float)
    weights = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    gold = [int(draw.choice(classes, p=row)) for row in probabilities ** 0.5 / (probabilities ** 0.5).sum(axis=1, keepdims=True)]
    predicted = probabilities.argmax(axis=1)
    confidence, right = probabilities.max(axis=1), predicted == numpy.array(gold)
    accuracy, mean_confidence = calibration_curve(right, confidence, n_bins=bins, strategy="uniform")
    counts = numpy.histogram(numpy.searchsorted(numpy.linspace(0, 1, bins + 1)[1:-1], confidence), bins=range(bins + 1))[0]
    counts = counts[counts > 0]
    error = float((counts * abs(accuracy - mean_confidence)).sum() / examples)
    return {"logits": logits.ravel().tolist(), "gold": gold, "predicted": predicted.tolist(), "classes": classes,
            "bins": bins, "confidence": mean_confidence.tolist(), "accuracy": accuracy.tolist(),
            "counts": counts.tolist(), "error": error, "confidences": confidence.tolist()}


print(json.dumps({
    "confusion": [confusion_case(*case) for case in [(50, 2), (80, 3), (120, 4)]],
    "calibration": [calibration_case(*case) for case in [(60, 2, 15, 2.0), (80, 3, 10, 1.5), (40, 4, 15, 4.0)]],
}, indent=1))
