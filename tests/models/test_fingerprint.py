from pathlib import Path

from semguide.models import fingerprint


def test_the_hash_does_not_depend_on_where_the_folder_lies(tiny: Path, copy: Path):
    assert fingerprint(tiny) == fingerprint(copy)


def test_the_hash_changes_with_one_byte_of_weights(copy: Path):
    before = fingerprint(copy)
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert fingerprint(copy) != before


def test_the_hash_changes_with_the_scheduler(copy: Path):
    before = fingerprint(copy)
    config = copy / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("epsilon", "v_prediction"))
    assert fingerprint(copy) != before


def test_card_and_defaults_are_not_part_of_the_hash(copy: Path):
    before = fingerprint(copy)
    (copy / "README.md").write_text("x")
    (copy / "semguide.json").write_text("{}")
    assert fingerprint(copy) == before
