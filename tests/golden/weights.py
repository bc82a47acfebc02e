#!/usr/bin/env python3
"""Writes tests/golden/weights/: one tiny random BERT in every format that PyTorch checkpoints come in.
tf_checkpoints.py writes the same model as TensorFlow does.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0
    python tests/golden/weights.py [FOLDER]

reference/       float32, from `BertForPreTraining.save_pretrained`; the others hold the same numbers
*/               each a folder in another format; half precision holds the numbers rounded by PyTorch
heads/*/         other random weights: what each class of transformers saves
rounded/         the numbers after rounding to float16 and bfloat16, as float32
expected.json    versions, and the tensors of `reference` by name and shape
"""
import json
import pathlib
import shutil
import sys

import torch
import transformers
from safetensors.torch import save_file

out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "weights")
shutil.rmtree(out, ignore_errors=True)
torch.manual_seed(30)
torch.set_num_threads(1)

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "bird", "sings", "##s", "a", ".", "quiet", "song", "un"]
# Sizes that differ from each other, so that no transposition goes unnoticed.
config = transformers.BertConfig(vocab_size=len(VOCABULARY), hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
                                 intermediate_size=12, max_position_embeddings=10, initializer_range=0.5)
model = transformers.BertForPreTraining(config)
with torch.no_grad():
    for parameter in model.parameters():
        if parameter.dim() == 1:  # biases are born 0 and norms 1: make them tell too
            parameter.add_(0.1 * torch.randn_like(parameter))
state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()
         if not name.startswith("cls.predictions.decoder")}


def folder(name, architecture="BertForPreTraining"):
    path = out / name
    path.mkdir(parents=True)
    config.architectures = [architecture]
    config.save_pretrained(path)
    (path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    return path


def index(path, file, shards):
    weight_map = {name: shard for shard, tensors in shards.items() for name in tensors}
    size = sum(tensor.numel() * tensor.element_size() for tensors in shards.values() for tensor in tensors.values())
    (path / file).write_text(json.dumps({"metadata": {"total_size": size}, "weight_map": weight_map}, indent=1) + "\n")


def halves(tensors, pattern):
    names = sorted(tensors)
    parts = [names[: len(names) // 2], names[len(names) // 2 :]]
    return {pattern % (number + 1): {name: tensors[name].clone() for name in part} for number, part in enumerate(parts)}


model.save_pretrained(folder("reference"))
save_file(state, folder("safetensors") / "model.safetensors")
save_file({name.removeprefix("bert."): tensor for name, tensor in state.items() if name.startswith("bert.")}
          | {"embeddings.position_ids": torch.arange(10)[None]}, folder("no-prefix", "BertModel") / "model.safetensors")
old = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
       for name, tensor in state.items()}
torch.save(old, folder("gamma-beta") / "pytorch_model.bin")
torch.save(model.state_dict(), folder("pytorch") / "pytorch_model.bin")
torch.save(state, folder("pytorch-legacy") / "pytorch_model.bin", _use_new_zipfile_serialization=False)
# A view whose storage is another shape: the numbers must come out in order.
torch.save({name: tensor.t().contiguous().t() if tensor.dim() == 2 else tensor for name, tensor in state.items()},
           folder("pytorch-strided") / "pytorch_model.bin")
shards = halves(state, "model-%05d-of-00002.safetensors")
for shard, tensors in shards.items():
    (out / "sharded-safetensors").exists() or folder("sharded-safetensors")
    save_file(tensors, out / "sharded-safetensors" / shard)
index(out / "sharded-safetensors", "model.safetensors.index.json", shards)
shards = halves(state, "pytorch_model-%05d-of-00002.bin")
for shard, tensors in shards.items():
    (out / "sharded-pytorch").exists() or folder("sharded-pytorch")
    torch.save(tensors, out / "sharded-pytorch" / shard)
index(out / "sharded-pytorch", "pytorch_model.bin.index.json", shards)
(out / "rounded").mkdir()
for name, kind in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
    rounded = {key: tensor.to(kind) for key, tensor in state.items()}
    save_file(rounded, folder(f"safetensors-{name}") / "model.safetensors")
    torch.save(rounded, folder(f"pytorch-{name}") / "pytorch_model.bin")
    save_file({key: tensor.float() for key, tensor in rounded.items()}, out / "rounded" / f"{name}.safetensors")


# What each class of transformers saves: its heads, and the pooler only where it has one.
for name in ("BertModel", "BertForMaskedLM", "BertForNextSentencePrediction", "BertForSequenceClassification",
             "BertForTokenClassification", "BertForQuestionAnswering", "BertForMultipleChoice"):
    plain = {key: value for key, value in config.to_dict().items() if key not in ("id2label", "label2id")}
    settings = transformers.BertConfig(**plain, num_labels=3 if name.endswith("Classification") else 2)
    if name == "BertForSequenceClassification":
        settings.id2label, settings.label2id = {0: "no", 1: "so", 2: "yes"}, {"no": 0, "so": 1, "yes": 2}
    getattr(transformers, name)(settings).save_pretrained(out / "heads" / name)
    (out / "heads" / name / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")

expected = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__},
            "tensors": {name: list(tensor.shape) for name, tensor in state.items()}}
(out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
