"""What the parts of Rust's tokenizers make of texts, one by one: normalizers a text, pre-tokenizers words."""

import json
from pathlib import Path

from tokenizers import Tokenizer

from seeded import json_digest

NO_PARTS = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": None,
    "post_processor": None,
    "decoder": None,
    "model": {"type": "BPE", "vocab": {}, "merges": []},
}


def goldens(inputs: Path, _out: Path) -> dict:
    texts = json.loads((inputs / "texts.json").read_text(encoding="utf-8"))
    stages = json.loads((inputs / "stages.json").read_text(encoding="utf-8"))
    # An empty text does not come so far.
    given = [text for text in texts["short"] + texts["generated"] if text != ""]
    return {
        json.dumps(config, ensure_ascii=False, separators=(",", ":")): {
            "digest": json_digest([made(part, config, text) for text in given])
        }
        for part, configs in stages.items()
        for config in configs
    }


def made(part: str, config: dict, text: str) -> list[str]:
    tokenizer = Tokenizer.from_str(json.dumps({**NO_PARTS, part: config}))
    if part == "normalizer":
        return [tokenizer.normalizer.normalize_str(text)]
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)]
