#!/usr/bin/env python3
"""Golden answers for `src/task/spans/` and windows for `src/text/windows/`, by transformers' port of Google's code:
`squad_convert_examples_to_features` and `compute_predictions_logits`, on small texts and random logits.

Made with Python 3.11, numpy 2.4.6 and a transformers before 5, which has them no longer:
    pip install numpy==2.4.6 transformers==4.57.1
    python tests/golden/squad_decode.py > tests/golden/squad_decode.json
Logits are multiples of 1/8, so that many are equal and the order of equal ones shows. Texts are such that Google's
recovery of a span's text, get_final_text, finds the characters from its first to its last token; `differ` has some
for which it does not.
"""
import json
import pathlib
import random
import tempfile

import numpy
import transformers
from transformers.data.metrics import squad_metrics
from transformers.data.processors import squad as processor

transformers.logging.set_verbosity_error()
draw = random.Random(1810_04805)

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "broncos", "won", "super", "bowl", "50", "##th", "in", "santa",
              "clara", "##s", "un", "##aff", "##able", "19", "##66", ",", ".", "(", ")", "-", "'", "s", "who", "what", "?", "of",
              "a", "cafe", "中", "国", "levi", "stadium", "game"]
PIECES = ["the", "Broncos", "won", "Super", "Bowl", "50", "50th", "in", "Santa", "Clara,", "Claras", "unaffable", "(1966)", "1966.",
          "Levi's", "Stadium", "of", "a", "café", "中国", "game-of-the", "the", "won."]


class Google:
    """What compute_predictions_logits wants of a tokenizer, as in run_squad.py: transformers' own keeps a leading ##."""

    @staticmethod
    def convert_tokens_to_string(tokens):
        return " ".join(tokens).replace(" ##", "").replace("##", "")


def recovered(example, first, last):
    """The text of a span of tokens: by get_final_text as write_predictions calls it, and as characters."""
    encoded = fast(example.context_text, add_special_tokens=False, return_offsets_mapping=True)
    tokens, offsets = encoded.tokens()[first:last + 1], encoded["offset_mapping"]
    words = [example.char_to_word_offset[offsets[i][0]] for i in (first, last)]
    original = " ".join(example.doc_tokens[words[0]:words[1] + 1])
    text = " ".join(Google.convert_tokens_to_string(tokens).split())
    return squad_metrics.get_final_text(text, original, True), example.context_text[offsets[first][0]:offsets[last][1]]


def agrees(example):
    """Whether both are the same for every span of up to 30 tokens."""
    count = len(fast(example.context_text, add_special_tokens=False)["input_ids"])
    spans = ((i, j) for i in range(count) for j in range(i, min(count, i + 30)))
    return all(google == characters for google, characters in (recovered(example, *span) for span in spans))


def differ(context, first, last):
    google, characters = recovered(processor.SquadExample("", "", context, "", None, ""), first, last)
    assert google != characters
    return {"context": context, "span": [first, last], "google": google, "characters": characters}


def convert(example, settings, training):
    length, stride, query, _, _ = settings
    processor.squad_convert_example_to_features_init(tokenizer)
    return processor.squad_convert_example_to_features(
        example, max_seq_length=length, doc_stride=stride, max_query_length=query, padding_strategy="do_not_pad",
        is_training=training)


def logits(features, high):
    return [[[draw.randrange(-8 * high, 8 * high) / 8 for _ in feature.input_ids] for _ in range(2)] for feature in features]


def case(number):
    impossible = number % 2 == 1
    # Longest window, stride, longest question; n best; longest answer.
    settings = draw.choice([(16, 4, 4, 20, 30), (20, 7, 5, 5, 6), (40, 8, 8, 20, 4), (14, 3, 6, 3, 3), (64, 32, 8, 20, 30)])
    threshold = draw.choice([0.0, -3.0, 4.5])
    questions, texts, examples, features, results = [], [], [], [], []
    for i in range(4):
        words = [draw.choice(PIECES) for _ in range(draw.choice([int(impossible), 1, 3, 12, 40]) if number % 3 == 0 else draw.randrange(2, 40))]
        context = " ".join(words)
        question = " ".join(draw.choice(["who", "what", "won", "the", "of", "?"]) for _ in range(draw.randrange(1, 8)))
        first = draw.randrange(len(words)) if words else 0
        answer = " ".join(words[first:first + draw.randrange(1, 4)])
        start = len(" ".join(words[:first])) + (first > 0)
        assert context[start:start + len(answer)] == answer
        questions.append({"id": f"q{number}-{i}é", "question": question, "context": context, "answer": answer, "start": start})
        example = processor.SquadExample(qas_id=questions[-1]["id"], question_text=question, context_text=context,
                                         answer_text=answer, start_position_character=start if words else None, title="")
        assert agrees(example), context
        examples.append(example)
        of_training = convert(example, settings, True) if words else []
        converted = convert(example, settings, False)
        texts.append([{"ids": feature.input_ids, "segments": feature.token_type_ids,
                       "label": [trained.start_position, trained.end_position]}
                      for feature, trained in zip(converted, of_training, strict=True)])
        for feature in converted:
            feature.example_index, feature.unique_id = i, len(features)
            features.append(feature)
    values = logits(features, draw.choice([1, 4]))
    results = [processor.SquadResult(feature.unique_id, start, end) for feature, (start, end) in zip(features, values)]
    with tempfile.TemporaryDirectory() as folder:
        files = [str(pathlib.Path(folder, name)) for name in ("predictions", "nbest", "odds")]
        squad_metrics.compute_predictions_logits(examples, features, results, settings[3], settings[4], True, *files, False,
                                                 impossible, threshold, Google)
        written = [pathlib.Path(file).read_text() for file in files if pathlib.Path(file).exists()]
    return {"settings": settings, "threshold": threshold if impossible else None, "questions": questions, "windows": texts,
            "logits": values, "files": written}


with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "vocab.txt"
    path.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    tokenizer = transformers.BertTokenizer(str(path), do_lower_case=True)
    fast = transformers.BertTokenizerFast(str(path), do_lower_case=True)
golden = {"versions": {"transformers": transformers.__version__, "numpy": numpy.__version__}, "vocabulary": VOCABULARY,
          "cases": [case(number) for number in range(24)],
          "differ": [differ("the  game", 0, 1), differ("won\u00a0the game", 0, 0), differ("a zebra won.", 1, 2),
                     differ("(zebra)", 1, 1), differ("the\u00adgame won,", 0, 1), differ("won\u200b.", 0, 0)]}
print(json.dumps(golden, separators=(",", ":"), ensure_ascii=False))
