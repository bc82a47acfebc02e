#!/usr/bin/env python3
"""Writes tests/golden/tensorflow/: models of weights/ as TensorFlow's own savers keep them.

    pip install tensorflow-cpu==2.21.0 safetensors==0.8.0
    python tests/golden/tf_checkpoints.py [WEIGHTS] [FOLDER]

google/      weights/reference in one data file, with the optimizer's slots and the step, as google-research/bert leaves them
two-files/   the same in two data files
classifier/, squad/   what run_classifier.py and run_squad.py leave: weights/heads/… as TensorFlow keeps them
objects/     TensorFlow 2's saver, which names objects and not variables: to be refused
"""
import json
import os
import pathlib
import shutil
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy
import tensorflow
from safetensors.numpy import load_file

here = pathlib.Path(__file__).parent
weights = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else here / "weights")
out = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else here / "tensorflow")
shutil.rmtree(out, ignore_errors=True)
config = json.loads((weights / "reference" / "config.json").read_text())
KEYS = ("attention_probs_dropout_prob", "hidden_act", "hidden_dropout_prob", "hidden_size", "initializer_range",
        "intermediate_size", "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "type_vocab_size",
        "vocab_size")


# What google-research/bert's modeling.py, run_classifier.py and run_squad.py do not call kernel and bias.
HEADS = {"cls/predictions/bias": "cls/predictions/output_bias",
         "cls/seq_relationship/weight": "cls/seq_relationship/output_weights",
         "cls/seq_relationship/bias": "cls/seq_relationship/output_bias",
         "classifier/weight": "output_weights", "classifier/bias": "output_bias",
         "qa_outputs/weight": "cls/squad/output_weights", "qa_outputs/bias": "cls/squad/output_bias"}


def variables(state):
    """The names and layouts of google-research/bert."""
    for name, tensor in state.items():
        head = HEADS.get(name.replace(".", "/"))
        kernel = tensor.ndim == 2 and "embeddings" not in name and not head
        path = name.replace("layer.", "layer_").replace(".", "/")
        if "LayerNorm" in path:
            path = path.replace("LayerNorm/weight", "LayerNorm/gamma").replace("LayerNorm/bias", "LayerNorm/beta")
        elif path.endswith("_embeddings/weight"):
            path = path.removesuffix("/weight")
        elif kernel:
            path = path.replace("/weight", "/kernel")
        path = head or path
        yield path, numpy.ascontiguousarray(tensor.T if kernel else tensor)


def folder(name):
    path = out / name
    path.mkdir(parents=True)
    (path / "bert_config.json").write_text(json.dumps({key: config[key] for key in KEYS}, indent=2) + "\n")
    shutil.copy(weights / "reference" / "vocab.txt", path)
    return path


def checkpoint(name, partitions, source="reference"):
    path = folder(name)
    everything = {}
    for variable, value in variables(load_file(weights / source / "model.safetensors")):
        everything[variable] = value
        everything[variable + "/adam_m"] = value * 0
        everything[variable + "/adam_v"] = value * 0
    everything["global_step"] = tensorflow.constant(1000, tensorflow.int64)
    names = sorted(everything)
    prefixes = []
    for part in range(partitions):
        some = names[part::partitions]
        prefixes.append(str(path / (f"part{part}" if partitions > 1 else "bert_model.ckpt")))
        tensorflow.raw_ops.SaveV2(prefix=prefixes[-1], tensor_names=some, shape_and_slices=[""] * len(some),
                                  tensors=[tensorflow.convert_to_tensor(everything[one]) for one in some])
    if partitions > 1:
        tensorflow.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=prefixes,
                                              destination_prefix=str(path / "bert_model.ckpt"))


checkpoint("google", 1)
checkpoint("two-files", 2)
checkpoint("classifier", 1, "heads/BertForSequenceClassification")
checkpoint("squad", 1, "heads/BertForQuestionAnswering")
path = folder("objects")
tensorflow.train.Checkpoint(step=tensorflow.Variable(1.0)).write(str(path / "bert_model.ckpt"))
print(tensorflow.__version__)
