"""A Llama of seeded weights that mlx-lm quantizes and writes: modules of several widths and of none, all names, files
and metadata its own. And what the model that it reads back says."""

import contextlib
import io
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.models.llama import Model, ModelArgs
from mlx_lm.utils import load_model, quantize_model, save_config, save_model

from mlx_formats import stored
from seeded import TestRandom, digest, normals

FOLDER = "mlx_llama"
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 48,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "torch_dtype": "float16",
}
LAYER = "model.layers.0"
# As mlx-lm's own predicates answer: nothing said of a module, its own parameters, or floats.
MODULES = {
    "model.embed_tokens": {"group_size": 32, "bits": 8},
    "lm_head": {"group_size": 64, "bits": 6},
    f"{LAYER}.self_attn.k_proj": {"group_size": 64, "bits": 5},
    f"{LAYER}.self_attn.v_proj": {"group_size": 64, "bits": 3},
    f"{LAYER}.self_attn.o_proj": False,
    f"{LAYER}.mlp.gate_proj": {"group_size": 32, "bits": 2},
}
TOKENS = [1, 17, 5, 40, 5, 33, 2, 9, 47, 0, 21, 8]


def goldens(_inputs: Path, out: Path) -> dict:
    folder = out / FOLDER
    model = seeded_model()
    with contextlib.redirect_stdout(io.StringIO()):
        model, config = quantize_model(
            model, dict(CONFIG), 32, 4, quant_predicate=lambda path, _: MODULES.get(path, True)
        )
    save_model(folder, model)
    save_config(config, folder / "config.json")
    read, _ = load_model(folder)
    weights = {
        path: {"shape": list(values.shape), "values": digest(stored(values))}
        for path, values in dense(read).items()
    }
    # The same scales in float32: without roundings of activations to float16.
    read.set_dtype(mx.float32)
    logits = np.asarray(read(mx.array([TOKENS]))[0])
    # Sums of floats differ a little from processor to processor.
    return weights | {"logits": {"tokens": TOKENS, "near": np.round(logits, 5).tolist()}}


def seeded_model() -> Model:
    model = Model(ModelArgs.from_dict(CONFIG))
    random = TestRandom(11)
    weights = {}
    for path, value in sorted(tree_flatten(model.parameters())):
        if value.ndim == 1:
            drawn = 1 + normals(random, value.shape, 0.1)
        else:
            drawn = normals(random, value.shape, 1.5 / value.shape[1] ** 0.5)
        weights[path] = mx.array(drawn).astype(mx.float16)
    model.update(tree_unflatten(list(weights.items())))
    return model


def dense(model: Model) -> dict[str, mx.array]:
    """Every weight by its module's path, as mx.dequantize has it."""
    values = {}
    for path, module in model.named_modules():
        if "scales" in module:
            size = {"group_size": module.group_size, "bits": module.bits}
            values[path] = mx.dequantize(module.weight, module.scales, module.biases, **size)
        elif "weight" in module:
            values[path] = module.weight
    return dict(sorted(values.items()))
