"""Names of modules in 0.1.0, as scripts, copied node packs and extensions import them."""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib import import_module

import pytest

from semguide.moved import NAMES, new_name


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter, where nothing is imported yet."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_every_new_name_exists_and_no_old_one_does():
    check = "\n".join(
        (
            "import sys, importlib.util as u, semguide, semguide.moved as m",
            "news = [new for new in m.MOVED.values() if u.find_spec(new) is None]",
            "sys.meta_path = [finder for finder in sys.meta_path if not isinstance(finder, m._Finder)]",
            "def there(name):",
            "    try: return u.find_spec(name) is not None",
            "    except ModuleNotFoundError: return False",
            "print(news, [old for old in m.MOVED if there(old)])",
        )
    )
    done = run(check)
    assert done.stdout.strip() == "[] []", done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "names"),
    [
        ("semguide.adapters.forge", ["ForgeSampling"]),
        ("semguide.adapters.modular", ["with_semantic_guidance"]),
        ("semguide.adapters.guider", ["SemanticGuidance"]),
        ("semguide.adapters.pipeline", ["steer"]),
        ("semguide.concepts.words", []),
        ("semguide.interfaces.cli", ["main", "app"]),
        ("semguide.interfaces.commands.generate", ["generate"]),
        ("semguide.interfaces.families", ["main"]),
        ("semguide.scenes", ["World", "render", "COLOURS"]),
        ("semguide.scenes.vocabulary", ["NOUNS"]),
        ("semguide.training.presets", ["PRESETS"]),
        ("semguide.models.judge", ["Judge", "JudgeConfig"]),
        ("semguide.models.clip", ["EmojiCLIP"]),
        ("semguide.evaluation.judge", ["Detection", "find", "judged"]),
        ("semguide.evaluation.verdict", ["Verdict", "look", "rule_on"]),
    ],
)
def test_an_old_name_gives_the_very_same_module_and_says_the_new_name(old: str, names: list[str]):
    for name in [name for name in sys.modules if f"{old}.".startswith(f"{name}.") and new_name(name)]:
        del sys.modules[name]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        module = import_module(old)
    assert told, "neither the module nor its package was told of"
    assert all(warning.category is DeprecationWarning and " is now " in str(warning.message) for warning in told)
    new = new_name(old)
    assert new is not None
    assert module is import_module(new)
    assert module.__name__ == new
    assert module.__spec__ is not None
    assert module.__spec__.name == new
    assert all(hasattr(module, name) for name in names)


@pytest.mark.parametrize("module", NAMES)
def test_what_a_module_held_is_found_there_with_a_warning_of_its_new_name(module: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = import_module(module)
    for name, new in NAMES[module].items():
        home, _, own = new.rpartition(".")
        with pytest.warns(DeprecationWarning, match=rf"{module}\.{name} is now {new}; import it from there") as told:
            assert getattr(old, name) is getattr(import_module(home), own)
        assert told[0].filename == __file__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = old.nothing


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("semguide.adapters.forge", ["ForgeSampling"]),
        ("semguide.adapters.hosts.prompt", ["concept_texts"]),
        ("semguide.adapters.hosts.rules", ["HOSTED", "build_rule"]),
        ("semguide.adapters.modular", ["with_semantic_guidance"]),
    ],
)
def test_what_the_extensions_copied_by_0_1_0_import_is_there(module: str, names: list[str]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        held = import_module(module)
        assert all(getattr(held, name) for name in names)


def test_a_module_of_a_moved_package_is_not_run_twice_and_hides_no_function():
    code = "\n".join(
        (
            "import semguide.scenes, semguide.scenes.render, semguide_emoji.scenes.scene, semguide.scenes.scene",
            "print(callable(semguide_emoji.scenes.render), semguide.scenes.scene.Scene is semguide_emoji.scenes.Scene)",
        )
    )
    done = run(code)
    assert done.stdout.strip() == "True True", done.stderr


def test_the_warning_points_at_the_line_that_imports():
    done = run("import warnings\nwarnings.simplefilter('always')\nimport semguide.concepts.words")
    assert done.stderr.startswith("<string>:3: DeprecationWarning: semguide.concepts.words is now")


def test_an_old_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "semguide.interfaces.families", "missing.md"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "missing.md" in done.stderr


def test_without_the_package_that_holds_it_an_old_name_says_how_to_get_it():
    hide = "import sys\nsys.modules['semguide_emoji'] = None\n"
    done = run(hide + "import semguide.scenes")
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: semguide.scenes would now be semguide_emoji.scenes")
    assert "pip install ./emoji" in last


def test_an_unknown_name_is_an_unknown_module():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(ModuleNotFoundError, match=r"semguide\.interfaces\.nothing"):
            import_module("semguide.interfaces.nothing")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'semguide\.nothing'"):
        import_module("semguide.nothing")
