"""What `make demo` shows: four seeds by plain guidance and by semguide, failures included, and how often each is right.

    python scripts/demo.py [--prompt TEXT] [--out out/demo]

Without a prompt it is the first example of the embedded checkpoint, which `benchmarks/examples.py` chose by its rule.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from semguide.models import default_model, describe
from semguide.models.examples import Examples, read_examples


def shares(examples: Examples, prompt: str) -> list[str]:
    """Return what is known of a prompt: how many of its pictures each method gets right; nothing of any other prompt.

    Args:
        examples: The examples of the checkpoint.
        prompt: The prompt.
    """
    found = next((example for example in examples.examples if example.prompt == prompt), None)
    if found is None:
        return []
    plain, others = found.right.get("cfg", 0), {name: n for name, n in found.right.items() if name != "cfg"}
    steered = ", ".join(f"{count} of {name}" for name, count in others.items())
    return [
        f"Of {examples.seeds} seeds every concept is right in {plain} pictures of plain guidance (cfg; "
        f"{found.right_at_best_scale} at its best scale, {examples.best_scale:g}) and in {steered}.",
        f"Chosen because plain guidance fails on it. {examples.chosen}",
    ]


def main() -> None:
    """Make the pictures and say what is known of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompt", help="a prompt of your own")
    parser.add_argument("--out", type=Path, default=Path("out/demo"))
    options = parser.parse_args()
    examples = read_examples(describe(default_model()).path)
    prompt = options.prompt or examples.examples[0].prompt

    from semguide.cli.main import app

    command = ["generate", prompt, "--num-images", "4", "--compare", "cfg", "--out", str(options.out)]
    app(command, standalone_mode=False)
    print(f"\nThe picture is {options.out / 'grid.png'}: above plain CFG, below SGT, one column a seed.")
    print(*shares(examples, prompt), sep="\n")


if __name__ == "__main__":
    main()
