"""Goldens from the published implementations.

make.py OUT [NAME ...] writes OUT/NAME.json, and what else belongs to it, for each name or for all.
"""

import importlib
import json
import sys
from pathlib import Path

NAMES = ["mlx_formats", "mlx_checkpoint", "core_ml", "core_ml_fits"]


def main(out: Path, names: list[str]) -> None:
    for name in names or NAMES:
        out.mkdir(parents=True, exist_ok=True)
        cases = importlib.import_module(name).goldens(out)
        # A line a case, so that a difference shows where it is.
        lines = [
            f"{json.dumps(case)}: {json.dumps(value, ensure_ascii=True)}"
            for case, value in cases.items()
        ]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (out / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
