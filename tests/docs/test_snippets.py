"""Every block of Python and shell in README.md and docs/*.md is run, held against the real command, or says why not."""

from __future__ import annotations

import doctest
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from support.docs.shell import check_command
from support.docs.snippets import PAGES, SERVER, Snippet, commands_of, on_page, snippets_of

ELSEWHERE = {"guider.md"}
"""Pages whose snippets test_guider.py runs, on a tiny modular pipeline."""
FEWER = {"num_inference_steps": 2, "num_frames": 5, "height": 16, "width": 16}
"""Numbers that a block gets whatever the page says, so that it is quick."""


def run_python(snippet: Snippet, names: dict[str, Any]) -> None:
    """Run a block after the ones before it on its page; the reader's code, with few steps and small videos."""
    text = re.sub(rf"\b({'|'.join(FEWER)})=\d+", lambda found: f"{found[1]}={FEWER[found[1]]}", snippet.text)
    if ">>> " in text:
        test = doctest.DocTestParser().get_doctest(text, names, snippet.place, snippet.page, snippet.line)
        failed = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, clear_globs=False).failed
        assert failed == 0, f"{snippet.place} shows another output than what comes out"
        names.update(test.globs)
    else:
        exec(compile("\n" * snippet.line + text, snippet.page, "exec", dont_inherit=True), names)


def run(snippet: Snippet, names: dict[str, Any]) -> None:
    """Run a block, or check it; raises AssertionError with its place where it does not work."""
    try:
        if snippet.language == "python":
            run_python(snippet, names)
        else:
            for words in commands_of(snippet.text):
                check_command(words)
    except Exception as error:
        raise AssertionError(f"{snippet.place} does not work: {error}") from error


def at_server(text: str, address: str) -> str:
    """Return a block with the address of a server that runs, and with the id of a job that it did."""
    if "/jobs/ID/" in text:
        asked = json.dumps({"prompt": "a red car and a blue apple", "semguide": {"steps": 2}}).encode()
        request = Request(f"http://{address}/v1/images/generations", asked, {"Content-Type": "application/json"})
        with urlopen(request, timeout=120) as reply:
            text = text.replace("/jobs/ID/", f"/jobs/{json.load(reply)['semguide']['job']}/")
    return text.replace(SERVER, address)


def pages() -> list[Any]:
    """Return all pages; those that need a server are slow."""
    slow = [page for page in PAGES if any(snippet.asks_server for snippet in on_page(page))]
    return [
        pytest.param(page, id=page.name, marks=[pytest.mark.slow] * (page in slow))
        for page in PAGES
        if page.name not in ELSEWHERE
    ]


@pytest.mark.parametrize("page", pages())
def test_what_a_page_shows_works(page: Path, reader: Path, request: pytest.FixtureRequest):
    names: dict[str, Any] = {"__name__": "__main__"}
    for snippet in on_page(page):
        if snippet.reason is None and snippet.asks_server:
            address = request.getfixturevalue("server")
            run(replace(snippet, text=at_server(snippet.text, address)), names)
        elif snippet.reason is None:
            run(snippet, names)


def test_a_block_is_found_with_its_language_line_and_marker():
    python, shell = "```python\na = 1\n```\n", "```sh\nsemguide doctor\n```\n"
    text = f"# Title\n\n{python}\n<!-- not run: needs a model -->\n{shell}\n    $ make test\n"
    found = snippets_of("page.md", text)
    assert [(s.language, s.line, s.text, s.reason) for s in found] == [
        ("python", 3, "a = 1\n", None),
        ("sh", 8, "semguide doctor\n", "needs a model"),
        ("sh", 11, "$ make test\n", None),
    ]


def test_a_marker_holds_for_the_next_block_only():
    text = "<!-- not run: a reason -->\n\nSome text.\n\n```sh\nmake test\n```\n"
    assert [snippet.reason for snippet in snippets_of("page.md", text)] == [None]


def test_formulas_and_data_are_no_snippets():
    assert (
        snippets_of("page.md", 'Text:\n\n    out = e(0) + w p\n\n```json\n{"a": 1}\n```\n\n```text\nsemguide X\n```\n')
        == []
    )


def test_a_command_may_go_over_lines_and_have_comments():
    text = "semguide concepts 'a b' \\\n    --json  # why\n# nothing\nmake test\n"
    assert list(commands_of(text)) == [["semguide", "concepts", "a b", "--json"], ["make", "test"]]
    assert list(commands_of("$ make test\nits output\n$ make demo\n")) == [["make", "test"], ["make", "demo"]]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("semguide generate 'a cat' --stepz 3", "No such option"),
        ("semguide train everything", "'everything' is not one of 'vae'"),
        ("semguide paint", "has no command"),
        ("semguide models | less", "nothing here runs |"),
        ("semguide doctor --json > report", "one command a line"),
        ("make everything", "no target"),
        ("pip install '.[everything]'", "no extra"),
        ("python benchmarks/everything.py", "there is no"),
        ("python benchmarks/edits.py --out out --stepz 3", "unrecognized arguments"),
        ("python benchmarks/table.py --out out --settings benchmarks/none.json", "there is no"),
        ("frobnicate", "mark the block"),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(command: str, why: str, reader: Path):
    (words,) = commands_of(command)
    with pytest.raises(AssertionError, match=why):
        check_command(words)


def test_python_that_fails_or_prints_something_else_is_noticed():
    with pytest.raises(NameError):
        run_python(Snippet("page.md", 1, "python", "print(nobody)\n"), {})
    with pytest.raises(AssertionError, match="another output"):
        run_python(Snippet("page.md", 1, "python", ">>> 1 + 1\n3\n"), {})
