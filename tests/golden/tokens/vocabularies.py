"""Small vocabularies for the nasty lines and the code points, and a cased one made from BERT's uncased one."""
from tokenizers import normalizers, pre_tokenizers

from lines import fragments

# Not in BERT's places, so that ids are looked up and not assumed.
SPECIAL = ["[PAD]", "[unused1]", "[unused2]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LONGEST_WHOLE_WORD = 20
# What U+11938 is decomposed into since Unicode 13, by Google's code alone.
YOUNGER_PIECES = "\U00011935\U00011930"
CHINESE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


def is_chinese(token):
    return any(first <= ord(char) <= last for char in token for first, last in CHINESE)


def images(normalizer):
    """Letters that other code points become: what lower-casing and decomposing made shows in the ids."""
    found = {}
    for code in range(0x20000):
        if not 0xD800 <= code < 0xE000 and not 0xAC00 <= code < 0xD7A4:
            made = normalizer.normalize_str(chr(code)).strip()
            if made != chr(code):
                found.update(dict.fromkeys(made))
    return found


def small(lower, chinese):
    """Of every three words one is a token, one is cut into pieces and one left to single characters."""
    normalizer = normalizers.BertNormalizer(lowercase=lower)
    split = pre_tokenizers.BertPreTokenizer()
    words = {}
    for fragment in fragments():
        words.update(dict.fromkeys(word for word, _ in split.pre_tokenize_str(normalizer.normalize_str(fragment))))
    ascii_characters = [chr(code) for code in range(0x21, 0x7F)]
    tokens = [*SPECIAL, "ab", *ascii_characters, *("##" + char for char in ascii_characters)]
    for index, word in enumerate(word for word in words if len(word) <= LONGEST_WHOLE_WORD):
        if index % 3 == 0:
            tokens.append(word)
        elif index % 3 == 1:
            tokens += [("##" if at else "") + word[at:at + 2] for at in range(0, len(word), 2)]
    for index, char in enumerate(dict.fromkeys("".join(words))):
        tokens += [char] if index % 4 != 3 else []
        tokens += ["##" + char] if index % 5 != 4 else []
    tokens += [prefix + char for char in [*images(normalizer), *YOUNGER_PIECES] for prefix in ("", "##")]
    return [token for token in dict.fromkeys(tokens) if chinese or not is_chinese(token)]


def capitalised(uncased):
    """The uncased tokens, then what begins with an ASCII letter with a capital, then pieces of capitals."""
    tokens = [*uncased, *(token[0].upper() + token[1:] for token in uncased if "a" <= token[0] <= "z"),
              *("##" + chr(code) for code in range(ord("A"), ord("Z") + 1))]
    return list(dict.fromkeys(tokens))
