"""The logic of scripts/bootstrap.py; nothing is installed and no network is used."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bootstrap = load_script("bootstrap")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the files that the environment follows from."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "emoji").mkdir()
    (tmp_path / "emoji" / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\ntorch==2.13.0\ntyper==0.29.2\n")
    (tmp_path / "scripts" / "bootstrap.py").write_text("pass\n")
    return tmp_path


def fake_venv(checkout: Path, stamped: bool = True, **changes: object) -> Path:
    venv = checkout / ".venv"
    python = bootstrap.venv_python(venv)
    python.parent.mkdir(parents=True)
    python.touch()
    (venv / "pyvenv.cfg").touch()
    stamp = {
        "hash": bootstrap.fingerprint(checkout, "3.11"),
        "python": "3.11",
        "root": str(checkout),
        "extras": ["dev"],
        **changes,
    }
    if stamped:
        (venv / "bootstrap.json").write_text(json.dumps(stamp))
    return venv


def state(checkout: Path, extras: tuple[str, ...] = ("dev",)) -> str:
    return bootstrap.venv_state(checkout / ".venv", checkout, "3.11", set(extras))


# ---- python --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12), (3, 13)])
def test_supported_pythons_are_accepted(version: tuple[int, int]):
    bootstrap.check_python(version, True)


@pytest.mark.parametrize("version", [(3, 9), (3, 14), (2, 7)])
def test_other_pythons_are_refused_with_the_range_and_a_remedy(version: tuple[int, int]):
    with pytest.raises(bootstrap.SetupError, match=rf"3\.10 to 3\.13, got {version[0]}\.{version[1]}; .*make setup"):
        bootstrap.check_python(version, True)


def test_a_python_without_ensurepip_is_told_the_package_to_install():
    with pytest.raises(bootstrap.SetupError, match=r"apt-get install python3\.12-venv"):
        bootstrap.check_python((3, 12), False)


def test_the_range_is_that_of_the_package():
    low, high = bootstrap.SUPPORTED
    wanted = f'requires-python = ">={low[0]}.{low[1]},<{high[0]}.{high[1] + 1}"'
    assert wanted in (ROOT / "pyproject.toml").read_text()


# ---- the state of .venv --------------------------------------------------------------------------------------------


def test_no_environment_is_missing(checkout: Path):
    assert state(checkout) == "missing"


def test_a_complete_environment_is_ready(checkout: Path):
    fake_venv(checkout)
    assert state(checkout) == "ready"


@pytest.mark.parametrize("name", ["pyproject.toml", "emoji/pyproject.toml", "constraints.txt", "scripts/bootstrap.py"])
def test_a_changed_file_asks_for_an_update(checkout: Path, name: str):
    fake_venv(checkout)
    (checkout / name).write_text("changed\n")
    assert state(checkout) == "update"


def test_a_further_extra_asks_for_an_update_and_a_present_one_does_not(checkout: Path):
    fake_venv(checkout, extras=["dev", "llm"])
    assert state(checkout, ("dev", "llm")) == "ready"
    assert state(checkout, ("dev", "web")) == "update"


def test_an_interrupted_run_is_made_anew(checkout: Path):
    (fake_venv(checkout) / "bootstrap.partial").touch()
    assert state(checkout) == "broken"


def test_an_empty_folder_is_made_anew(checkout: Path):
    (checkout / ".venv").mkdir()
    assert state(checkout) == "broken"


def test_an_environment_of_another_python_is_made_anew(checkout: Path):
    fake_venv(checkout, python="3.12")
    assert state(checkout) == "broken"


def test_a_moved_checkout_is_made_anew(checkout: Path):
    fake_venv(checkout, root="/elsewhere")
    assert state(checkout) == "broken"


def test_an_environment_whose_interpreter_is_gone_is_made_anew(checkout: Path):
    bootstrap.venv_python(fake_venv(checkout)).unlink()
    assert state(checkout) == "broken"


def test_an_environment_made_by_hand_is_filled_not_deleted(checkout: Path):
    fake_venv(checkout, stamped=False)
    assert state(checkout) == "update"


def test_a_folder_that_is_no_environment_is_never_deleted(checkout: Path):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "thesis.txt").write_text("mine")
    assert state(checkout) == "foreign"


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_a_damaged_stamp_counts_as_none(checkout: Path, text: str):
    venv = fake_venv(checkout)
    (venv / "bootstrap.json").write_text(text)
    assert bootstrap.read_stamp(venv) == {}
    assert state(checkout) == "update"


# ---- which torch ---------------------------------------------------------------------------------------------------


def never(_url: str) -> bool:
    raise AssertionError("no address must be asked for")


def test_an_accelerator_takes_the_default_build_without_asking_any_index():
    words, source = bootstrap.choose_torch("linux", True, never)
    assert source == []
    assert "accelerator" in words


def test_linux_takes_the_cpu_index_where_it_answers():
    assert bootstrap.choose_torch("linux", False, lambda _url: True)[1] == ["--index-url", bootstrap.CPU_INDEX]


def test_linux_takes_the_configured_index_where_the_cpu_index_does_not_answer():
    assert bootstrap.choose_torch("linux", False, lambda _url: False)[1] == []


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_configured_index_has_the_cpu_build(platform: str):
    assert bootstrap.choose_torch(platform, False, never)[1] == []


def test_an_address_that_refuses_is_not_reachable():
    assert not bootstrap.reachable("http://127.0.0.1:9/torch/", seconds=1)


def test_without_nvidia_smi_there_is_no_accelerator(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: None)
    assert not bootstrap.has_accelerator()


@pytest.mark.parametrize(
    ("status", "said", "answer"), [(0, "GPU 0: A", True), (0, "No devices", False), (9, "GPU 0", False)]
)
def test_an_accelerator_counts_only_where_its_driver_answers(
    monkeypatch: pytest.MonkeyPatch, status: int, said: str, answer: bool
):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _name: "/usr/bin/nvidia-smi")
    done = SimpleNamespace(returncode=status, stdout=said)
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_args, **_kwargs: done)
    assert bootstrap.has_accelerator() is answer


def test_the_pin_of_torch_is_left_out_for_an_accelerator_and_nothing_else(checkout: Path):
    venv = fake_venv(checkout)
    assert bootstrap.accelerator_constraints(checkout, venv).read_text() == "numpy==2.4.6\ntyper==0.29.2\n"
    assert bootstrap.pinned(checkout, "torch") == ["torch==2.13.0"]


# ---- pip -----------------------------------------------------------------------------------------------------------


class FakePip:
    """Stands for subprocess.run: writes each given text to the log and fails, until the texts are used up."""

    def __init__(self, *failures: str) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self, _command: list[str], stdout, **_options: object) -> SimpleNamespace:
        self.calls += 1
        if not self.failures:
            return SimpleNamespace(returncode=0)
        stdout.write(self.failures.pop(0) + "\n")
        return SimpleNamespace(returncode=1)


def test_a_network_failure_is_tried_once_more(checkout: Path):
    fake = FakePip("ReadTimeoutError: Read timed out.")
    bootstrap.pip(["install", "x"], fake_venv(checkout), fake)
    assert fake.calls == 2


def test_a_second_network_failure_ends_with_the_tail_of_the_log(checkout: Path):
    fake = FakePip("Read timed out. one", "Read timed out. two")
    with pytest.raises(bootstrap.SetupError, match=r"pip install failed(?s:.*)timed out\. two"):
        bootstrap.pip(["install", "x"], fake_venv(checkout), fake)


def test_any_other_failure_is_not_tried_again_even_after_an_older_network_failure(checkout: Path):
    venv = fake_venv(checkout)
    (venv / "bootstrap.log").write_text("Read timed out.\n")
    fake = FakePip("ERROR: No matching distribution")
    with pytest.raises(bootstrap.SetupError, match="No matching distribution"):
        bootstrap.pip(["install", "x"], venv, fake)
    assert fake.calls == 1


# ---- the whole -----------------------------------------------------------------------------------------------------


def test_check_only_without_an_environment_says_what_to_run(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(bootstrap, "VENV", checkout / ".venv")
    assert bootstrap.main(["--check-only"]) == 1
    assert "make setup" in capsys.readouterr().err


def test_a_failing_installation_leaves_the_mark_of_a_half_made_environment(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail(*_args: object) -> None:
        raise bootstrap.SetupError("no network")

    venv = fake_venv(checkout, stamped=False)
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(bootstrap, "VENV", venv)
    monkeypatch.setattr(bootstrap, "install", fail)
    assert bootstrap.main([]) == 1
    assert "setup failed: no network" in capsys.readouterr().err
    assert state(checkout) == "broken"


def test_a_run_stamps_the_environment_and_the_next_does_nothing(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    installed: list[set[str]] = []
    fake_venv(checkout, stamped=False)
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(bootstrap, "VENV", checkout / ".venv")
    monkeypatch.setattr(bootstrap, "install", lambda _root, _venv, extras, _quiet: installed.append(extras))
    monkeypatch.setattr(bootstrap, "self_check", lambda _venv, _quiet: None)
    assert bootstrap.main(["--extras", "llm"]) == 0
    assert bootstrap.main([]) == 0
    assert installed == [{"dev", "llm"}]


def test_the_self_check_passes_in_this_environment_and_its_failure_is_loud(monkeypatch: pytest.MonkeyPatch):
    self_check = load_script("self_check")
    self_check.check_arithmetic()
    monkeypatch.setattr(self_check.importlib.util, "find_spec", lambda _name: object())
    with pytest.raises(RuntimeError, match="torchvision is installed"):
        self_check.check_packages()


def test_the_script_is_plain_enough_for_an_old_python_to_say_that_it_is_too_old():
    source = (ROOT / "scripts" / "bootstrap.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    names = {node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    names |= {a.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for a in node.names}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


def test_make_setup_runs_the_script_and_the_shell_scripts_parse():
    assert "scripts/bootstrap.py" in (ROOT / "Makefile").read_text()
    for name in ("scripts/check", "scripts/build_release", ".ci/run"):
        done = subprocess.run(["bash", "-n", str(ROOT / name)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
