"""What transformers makes of chat templates and conversations, with Jinja2 in its sandbox and with its own filters."""

import json
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template


def goldens(inputs: Path, _out: Path) -> dict:
    chats = json.loads((inputs / "chats.json").read_text(encoding="utf-8"))
    return {name: rendered(**chat) for name, chat in chats.items()}


def rendered(template: str, messages: list, options: dict) -> dict:
    try:
        [text], _ = render_jinja_template(
            conversations=[messages],
            tools=options.get("tools"),
            chat_template=template,
            add_generation_prompt=options.get("addGenerationPrompt", True),
            bos_token="<bos>",
            eos_token="<eos>",
            **options.get("variables", {}),
        )
        return {"text": text}
    except Exception as error:
        # Its words are the template's own, or Jinja's.
        return {"refused": str(error)}
