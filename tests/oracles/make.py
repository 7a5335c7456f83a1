"""Goldens from the published implementations.

make.py INPUTS OUT [NAME ...] writes OUT/NAME.json, and what else belongs to it, for each name or for all. INPUTS is
the folder that inputs.ts wrote.
"""

import importlib
import json
import sys
from pathlib import Path

NAMES = ["mlx_formats", "mlx_checkpoint", "core_ml", "core_ml_fits", "token_ids", "stages", "chat_templates"]


def main(inputs: Path, out: Path, names: list[str]) -> None:
    for name in names or NAMES:
        out.mkdir(parents=True, exist_ok=True)
        cases = importlib.import_module(name).goldens(inputs, out)
        # A line a case, so that a difference shows where it is.
        lines = [
            f"{json.dumps(case)}: {json.dumps(value, ensure_ascii=True)}"
            for case, value in cases.items()
        ]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (out / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
