import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from semguide.cli.bench import print_summary
from semguide.evaluation.bench.generation import TaskRunner
from semguide.evaluation.bench.row_metrics import METRICS
from semguide.evaluation.bench.table import columns, read_table
from semguide.evaluation.metrics import COLUMNS
from support.tiny_judge import save_tiny_judge, tiny_pictures
from support.tiny_scorers import save_tiny_blip, save_tiny_clip

Cli = Callable[..., Result]
PROMPTS = "prompt\na cat and a dog\na bird and a bear\na dog and a bird\na bear and a red chair\n"
IMAGES = 16
"""2 methods, 4 prompts, 2 seeds."""
RUN = "from semguide.cli.main import main; main()"


@pytest.fixture(scope="session")
def judge(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_judge(tmp_path_factory.mktemp("judge") / "judge", tiny_pictures(tiny, 9))


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("suite") / "pairs.csv"
    path.write_text(PROMPTS)
    return path


@pytest.fixture
def arguments(tiny: Path, judge: Path, prompts: Path) -> list[str]:
    options = {"suite": prompts, "methods": "cfg,sgt", "model": tiny, "judge": judge, "seeds": 2, "steps": 2}
    return ["bench", "--split", "all", *(text for key, value in options.items() for text in (f"--{key}", str(value)))]


@pytest.fixture
def bench(cli: Cli, arguments: list[str]) -> Cli:
    """Call `semguide bench` in this process."""

    def call(out: Path, *more: object) -> Result:
        return cli(*arguments, "--out", out, *more)

    return call


@pytest.fixture
def whole(bench: Cli, whole_folder: Path) -> Path:
    """The folder of an uninterrupted run; tests must not write to it."""
    if not whole_folder.exists():
        result = bench(whole_folder, "--keep-images")
        assert result.exit_code == 0, result.stderr
    return whole_folder


@pytest.fixture(scope="session")
def whole_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole") / "out"


def results(out: Path) -> list[dict[str, Any]]:
    """The rows of a folder's table, without what may differ between equal runs."""
    return [
        {k: v for k, v in row.items() if k not in {"seconds", "image"}} for row in read_table(out / "results.parquet")
    ]


def lines(out: Path) -> int:
    return sum(file.read_bytes().count(b"\n") for file in (out / "rows").glob("*.jsonl"))


def start(arguments: list[str], out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, *arguments, "--out", str(out), *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)


def test_every_image_is_one_row_with_all_columns(whole: Path):
    rows = read_table(whole / "results.parquet")
    assert len(rows) == len({row["id"] for row in rows}) == IMAGES
    assert set(rows[0]) == set(columns())
    assert {(row["method"], row["prompt"], row["seed"]) for row in rows} == {
        (method, prompt, seed) for method in ("cfg", "sgt") for prompt in PROMPTS.split("\n")[1:-1] for seed in (0, 1)
    }
    for row in rows:
        assert row["evaluations"] == (4 if row["method"] == "cfg" else 6)
        assert (row["suite"], row["category"], row["guidance_scale"]) == ("pairs.csv", "pairs", 7.5)
        assert (row["mean_similarity"] is None) is (row["method"] == "cfg")
        assert (whole / row["image"]).is_file()
        assert json.loads(row["parameters"]).keys() >= ({"strength"} if row["method"] == "sgt" else set())


def test_a_prompt_with_a_noun_that_the_judge_does_not_know_is_not_judged(whole: Path):
    rows = read_table(whole / "results.parquet")
    assert {row["prompt"] for row in rows if row["verdicts"] is None} == {"a bear and a red chair"}
    judged = [row for row in rows if row["verdicts"] is not None]
    assert all(row["all_concepts"] is all(row["verdicts"]) for row in judged)
    assert {right for row in judged for right in row["verdicts"]} == {True, False}


def test_the_summary_agrees_with_the_rows(whole: Path, tiny: Path):
    summary = json.loads((whole / "summary.json").read_text())
    rows = read_table(whole / "results.parquet")
    assert (summary["suite"], summary["model"]) == ("pairs.csv", str(tiny))
    shares = {}
    for method, found in summary["methods"].items():
        mine = [row for row in rows if row["method"] == method]
        judged = [row for row in mine if row["verdicts"] is not None]
        shares[method] = np.mean([row["all_concepts"] for row in judged])
        assert found["all_concepts"]["mean"] == pytest.approx(shares[method])
        assert found["per_concept"]["mean"] == pytest.approx(np.mean([row["verdicts"] for row in judged]))
        assert found["evaluations_per_image"] == np.mean([row["evaluations"] for row in mine])
        assert found["seconds_per_image"] == pytest.approx(np.mean([row["seconds"] for row in mine]))
        assert found["images"] == IMAGES / 2
        low, high = found["per_concept"]["ci95"]
        assert low <= found["per_concept"]["mean"] <= high
    assert summary["paired"]["sgt-cfg"]["delta"] == pytest.approx(shares["sgt"] - shares["cfg"])


def test_the_report_is_there_and_names_both_methods(whole: Path):
    text = (whole / "report.html").read_text()
    assert "sgt-cfg" in text
    assert text.count("<svg") == 2


def test_a_second_call_makes_nothing_and_says_the_same(whole: Path, bench: Cli, monkeypatch: pytest.MonkeyPatch):
    summary = (whole / "summary.json").read_bytes()
    monkeypatch.setattr(TaskRunner, "__init__", None)
    again = bench(whole)
    assert again.exit_code == 0, again.stderr
    assert f"{IMAGES} images ({IMAGES} of them were there already)" in again.stdout
    assert (whole / "summary.json").read_bytes() == summary


def test_a_run_that_broke_off_within_a_row_goes_on_and_ends_like_an_uninterrupted_one(
    whole: Path, bench: Cli, tmp_path: Path
):
    out = tmp_path / "out"
    shutil.copytree(whole / "rows", out / "rows")
    shutil.copy(whole / "bench.json", out)
    (file,) = (out / "rows").glob("*.jsonl")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:5]) + '{"id": "cut sho')
    result = bench(out)
    assert "(5 of them were there already)" in result.stdout
    assert results(out) == results(whole)
    assert lines(out) == IMAGES


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was_and_ends_like_an_uninterrupted_one(
    whole: Path, bench: Cli, arguments: list[str], tmp_path: Path
):
    out = tmp_path / "out"
    process = start(arguments, out)
    wait_for(lambda: lines(out) >= 3, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    finished = lines(out)
    assert 3 <= finished < IMAGES
    assert not (out / "summary.json").exists()
    (file,) = (out / "rows").glob("*.jsonl")
    with file.open("a") as stream:
        stream.write('{"id": "cut sho')
    result = bench(out)
    assert f"({finished} of them were there already)" in result.stdout
    assert results(out) == results(whole)
    assert lines(out) == IMAGES


def test_ctrl_c_ends_with_a_table_of_what_is_finished_and_the_same_command_goes_on(
    whole: Path, bench: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make, calls = TaskRunner.run, iter(range(5))

    def stopped(self: TaskRunner, job: Any) -> Any:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return make(self, job)

    monkeypatch.setattr(TaskRunner, "run", stopped)
    result = bench(tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("stopped: 5 of the 16 missing images are finished")
    assert len(results(tmp_path / "out")) == 5
    monkeypatch.setattr(TaskRunner, "run", make)
    assert bench(tmp_path / "out").exit_code == 0
    assert results(tmp_path / "out") == results(whole)


def test_shards_merged_by_a_call_without_one_equal_the_whole(whole: Path, bench: Cli, tmp_path: Path):
    out = tmp_path / "out"
    for shard in ("1/2", "2/2"):
        result = bench(out, "--shard", shard)
        assert result.exit_code == 0, result.stderr
        assert "8 images (0 of them" in result.stdout
        assert not (out / "summary.json").exists()
    assert "(16 of them were there already)" in bench(out).stdout
    assert results(out) == results(whole)


def test_more_seeds_and_methods_can_be_added_to_a_folder(bench: Cli, tmp_path: Path):
    out = tmp_path / "out"
    assert bench(out, "--limit", 1, "--methods", "cfg").exit_code == 0
    result = bench(out, "--limit", 1, "--seeds", 3)
    assert "6 images (2 of them were there already)" in result.stdout
    summary = json.loads((out / "summary.json").read_text())
    assert {name: found["images"] for name, found in summary["methods"].items()} == {"cfg": 3, "sgt": 3}


def test_a_picture_that_was_not_kept_is_made_again_where_pictures_are_kept(bench: Cli, tmp_path: Path):
    out = tmp_path / "out"
    for expected in ("(0 of", "(2 of"):
        assert expected in bench(out, "--limit", 1, "--seeds", 1).stdout
    assert "(0 of" in bench(out, "--limit", 1, "--seeds", 1, "--keep-images").stdout
    assert len(read_table(out / "results.parquet")) == 2
    assert "(2 of" in bench(out, "--limit", 1, "--seeds", 1, "--keep-images").stdout


def test_a_full_trace_records_the_similarity_of_plain_guidance(bench: Cli, tmp_path: Path):
    assert bench(tmp_path / "out", "--limit", 1, "--seeds", 1, "--methods", "cfg", "--full-trace").exit_code == 0
    (row,) = read_table(tmp_path / "out" / "results.parquet")
    assert np.shape(row["similarity"]) == (2, 2)
    assert np.mean(row["similarity"], axis=0) == pytest.approx(row["mean_similarity"], abs=1e-5)
    assert row["evaluations"] == 8


def test_images_are_made_without_a_judge(bench: Cli, tmp_path: Path):
    assert bench(tmp_path / "out", "--limit", 1, "--seeds", 1, "--judge", "none").exit_code == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["methods"]["sgt"]["all_concepts"] == {"mean": None, "ci95": None}
    assert summary["methods"]["sgt"]["images"] == 1


def test_images_are_scored_where_models_are_given(bench: Cli, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory):
    folder, out = tmp_path_factory.mktemp("scorers"), tmp_path / "out"
    clip, blip = save_tiny_clip(folder / "clip"), save_tiny_blip(folder / "blip")
    options = ("--limit", 2, "--clip", clip, "--vqa", blip, "--blip-vqa", blip)
    result = bench(out, *options)
    assert result.exit_code == 0, result.stderr
    assert "blip vqa" in result.stdout
    rows = read_table(out / "results.parquet")
    asked = {"questions_mean", "questions_product"}  # these prompts come with no questions
    assert all(row[name] is not None for row in rows for name in set(COLUMNS) - asked - {"rendered_feature"})
    metrics = json.loads((out / "summary.json").read_text())["methods"]["cfg"]["metrics"]
    assert set(METRICS) - asked - {"caption_similarity"} <= set(metrics)
    mine = [row["vqa_score"] for row in rows if row["method"] == "cfg"]
    assert metrics["vqa_score"]["mean"] == pytest.approx(np.mean(mine), abs=1e-6)
    assert "<th>vqa score</th>" in (out / "report.html").read_text()
    refused = bench(out, *options[:4])
    assert refused.exit_code == 2
    assert "differs in blip_vqa, vqa" in refused.stderr


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--clip", "nowhere"), "--clip"),
        (("--vqa", "nowhere"), "--vqa"),
        (("--blip-vqa", "nowhere"), "--blip-vqa"),
        (("--suite", "emoji-aee"), "--suite"),
        (("--methods", "cfg,sgtt"), "--methods"),
        (("--seeds", "0"), "--seeds"),
        (("--shard", "3/2"), "--shard"),
        (("--judge", "nowhere"), "--judge"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_refusals_come_before_any_work(bench: Cli, tmp_path: Path, more: tuple[str, str], named: str):
    result = bench(tmp_path / "out", *more)
    assert result.exit_code == 2
    assert named in result.stderr
    assert not (tmp_path / "out").exists()


def test_within_a_budget_methods_take_their_own_steps_and_another_may_be_added(
    cli: Cli, arguments: list[str], tmp_path: Path
):
    given = arguments[: arguments.index("--steps")] + arguments[arguments.index("--steps") + 2 :]

    def made(methods: str) -> set[tuple[str, int, int]]:
        more = ("--limit", 1, "--seeds", 1, "--methods", methods, "--evaluations", 8)
        result = cli(*given, "--out", tmp_path / "out", *more)
        assert result.exit_code == 0, result.stderr
        return {(row["method"], row["num_inference_steps"], row["evaluations"]) for row in results(tmp_path / "out")}

    assert made("cfg") == {("cfg", 4, 8)}
    assert made("cfg,sgt-v1") == {("cfg", 4, 8), ("sgt-v1", 2, 8)}


def test_a_folder_with_other_content_is_refused(bench: Cli, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    result = bench(tmp_path / "out")
    assert (result.exit_code, "with no other files" in result.stderr) == (2, True)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("name", ["report.html", "summary.json", "results.parquet"])
def test_a_result_that_is_not_ours_is_not_replaced(whole: Path, bench: Cli, tmp_path: Path, name: str):
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    assert bench(out, "--keep-images").exit_code == 0
    (out / name).write_text("mine")
    result = bench(out, "--keep-images")
    assert (result.exit_code, f"not as semguide wrote it ({name})" in result.stderr) == (2, True)
    assert (out / name).read_text() == "mine"


@pytest.mark.parametrize("name", ["report.html", "rows", "images", "images/ab", "verdicts", "bench.json"])
def test_nothing_is_written_through_a_link(whole: Path, bench: Cli, tmp_path: Path, name: str):
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    if (out / name).exists():
        (out / name).rename(tmp_path / "theirs")
    else:
        (tmp_path / "theirs").mkdir()
    (out / name).symlink_to(tmp_path / "theirs")
    result = bench(out, "--keep-images")
    assert (result.exit_code, f"written through ({name})" in result.stderr) == (2, True)


def test_a_folder_that_another_task_is_just_making_is_taken(bench: Cli, tmp_path: Path):
    (tmp_path / "out" / "rows").mkdir(parents=True)
    (tmp_path / "out" / ".bench.json.0123456789ab.tmp").write_text("{")
    assert bench(tmp_path / "out", "--limit", 1, "--seeds", 1, "--methods", "cfg").exit_code == 0


def test_a_folder_of_other_settings_is_refused_with_their_names(whole: Path, bench: Cli):
    result = bench(whole, "--steps", 3, "--guidance-scale", 4)
    assert result.exit_code == 2
    assert "differs in guidance_scale, num_inference_steps" in result.stderr


def test_kept_pictures_are_exported_in_an_official_layout(whole: Path, bench: Cli, tmp_path: Path):
    result = bench(whole, "--export", "t2i-compbench", tmp_path / "export")
    assert result.exit_code == 0, result.stderr
    assert f"exported: {tmp_path / 'export' / 'cfg'}, {tmp_path / 'export' / 'sgt'}" in result.stdout
    exported = [(file.name.rpartition("_")[0], file.read_bytes()) for file in (tmp_path / "export").glob("sgt/*/*")]
    rows = [row for row in read_table(whole / "results.parquet") if row["method"] == "sgt"]
    assert sorted(exported) == sorted((row["prompt"], (whole / row["image"]).read_bytes()) for row in rows)


def test_an_unknown_layout_and_a_missing_ray_are_refused_before_any_work(
    bench: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    refused = bench(tmp_path / "out", "--export", "genevel", tmp_path / "export")
    assert (refused.exit_code, "did you mean 'geneval'" in refused.stderr) == (2, True)
    monkeypatch.setitem(sys.modules, "ray", None)
    refused = bench(tmp_path / "out", "--ray", "local")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "error: a run on Ray needs the extra 'ray': pip install '.[ray]' in a clone of semguide's repository\n",
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_ray_cluster_makes_the_same_rows_and_pictures(whole: Path, arguments: list[str], tmp_path: Path):
    pytest.importorskip("ray")
    process = start(arguments, tmp_path / "out", "--ray", "local", "--jobs", "2", "--keep-images")
    assert process.wait(timeout=600) == 0, process.communicate()[1]
    process.communicate()
    assert results(tmp_path / "out") == results(whole)
    for row in read_table(whole / "results.parquet"):
        assert (tmp_path / "out" / row["image"]).read_bytes() == (whole / row["image"]).read_bytes()


@pytest.mark.slow
def test_a_ray_cluster_that_is_not_there_is_refused(arguments: list[str], tmp_path: Path):
    pytest.importorskip("ray")
    process = start(arguments, tmp_path / "out", "--ray", "auto")
    stderr = process.communicate(timeout=300)[1]
    assert process.returncode == 1
    assert "must be the address of a running cluster or 'local', but 'auto' cannot be reached" in stderr
    assert stderr.startswith("error: ")


@pytest.mark.slow
def test_two_nodes_of_a_ray_cluster_of_which_one_goes_make_the_same_rows(
    whole: Path, arguments: list[str], tmp_path: Path
):
    pytest.importorskip("ray")
    out, seeds = tmp_path / "out", 24
    command = [sys.executable, str(Path(__file__).parents[1] / "support" / "ray_nodes.py")]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe) as nodes:
        assert nodes.stdin is not None
        assert nodes.stdout is not None
        address = nodes.stdout.readline().strip()
        process = start([*arguments, "--seeds", str(seeds)], out, "--ray", address, "--jobs", "2")
        wait_for(lambda: lines(out) >= IMAGES, process)
        nodes.stdin.write("\n")  # the actor of this node is in the midst of an image
        nodes.stdin.flush()
        assert nodes.stdout.readline() == "one is left\n"
        assert lines(out) < seeds * IMAGES // 2
        stderr = process.communicate(timeout=600)[1]
        assert process.returncode == 0, stderr
        nodes.stdin.close()
    rows = {row["id"]: row for row in results(out)}
    assert len(rows) == seeds * IMAGES // 2
    assert all(rows[row["id"]] == row for row in results(whole))


@pytest.mark.slow
def test_several_processes_make_the_same_as_one(whole: Path, arguments: list[str], tmp_path: Path):
    process = start(arguments, tmp_path / "out", "--jobs", "2")
    assert process.wait(timeout=600) == 0, process.communicate()[1]
    process.communicate()
    assert results(tmp_path / "out") == results(whole)
    assert len(list((tmp_path / "out" / "rows").glob("*.jsonl"))) == 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs POSIX process groups")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_stopped_processes_leave_none_behind_and_lose_no_finished_image(
    end: signal.Signals, whole: Path, bench: Cli, arguments: list[str], tmp_path: Path
):
    out = tmp_path / "out"
    seeds = 100  # more than can be finished before the signal, however late this process notices the first rows
    process = start([*arguments, "--seeds", str(seeds)], out, "--jobs", "2")
    wait_for(lambda: lines(out) >= 3, process)
    if end == signal.SIGINT:
        os.killpg(process.pid, end)  # as a terminal sends Ctrl-C, to all processes
    else:
        process.send_signal(end)
    stderr = process.communicate(timeout=300)[1]  # ends when every process that has the pipe open has ended
    if end == signal.SIGINT:
        assert stderr.startswith("stopped: ")
        assert stderr.endswith("run the same command again to go on\n")
    assert process.returncode == (1 if end == signal.SIGINT else -signal.SIGKILL)
    finished = lines(out)
    assert finished < seeds * IMAGES // 2
    assert bench(out).exit_code == 0
    rows = {row["id"]: row for row in results(out)}
    assert all(rows[row["id"]] == row for row in results(whole))


def test_the_table_shows_headings_and_names_whole_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", "80")
    share = {"mean": 0.872, "ci95": [0.839, 0.904]}
    found = {"all_concepts": share, "per_concept": share, "metrics": {"clip_similarity": share}}
    found |= {"evaluations_per_image": 101.0, "seconds_per_image": 12.75}
    pair = {"delta": 0.103, "ci95": [0.072, 0.136], "p": 0.0001, "metrics": {}}
    print_summary({"methods": {"cfg": found, "best-of-detector": found}, "paired": {"best-of-detector-cfg": pair}})
    text = capsys.readouterr().out
    assert all(word in text for word in ("evaluations", "best-of-detector", "seconds", "similarity", "0.0001"))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
