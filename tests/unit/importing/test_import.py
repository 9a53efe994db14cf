"""`lectern import z2jh`: what is carried over, what is listed, and that nothing is lost between."""

from __future__ import annotations

import copy
import json
from argparse import ArgumentParser
from fractions import Fraction
from pathlib import Path

import pytest

from lectern_spawner.catalog import Catalog, Role, load
from lectern_spawner.importing import amounts, texts
from lectern_spawner.importing.command import import_
from lectern_spawner.importing.convert import convert
from lectern_spawner.importing.ledger import leaves
from lectern_spawner.importing.reading import read

DATA = Path(__file__).parents[2] / "data" / "z2jh"
SHAPES = sorted(path.name for path in DATA.iterdir())


def values_of(shape: str) -> Path:
    (path,) = [path for path in (DATA / shape).iterdir() if path.name != "expected.txt"]
    return path


@pytest.fixture
def run(capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        parser = ArgumentParser()
        import_.configure(parser)
        code = import_.run(parser.parse_args(["z2jh", *arguments]))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def imported(run, tmp_path):
    """Return a function that imports a text and loads the campus that came of it."""

    def call(text: str, *arguments: str) -> tuple[Catalog, dict[str, dict[str, str]]]:
        file = tmp_path / "values.yaml"
        file.write_text(text)
        options = ["--instructor", "chen", "--course", "art-1", "--out", str(tmp_path / "out")]
        code, out, err = run(str(file), *options, "--format", "json", *arguments)
        assert (code, err) == (0, "")
        said = json.loads(out)
        loaded = load(tmp_path / "out")
        assert loaded.diagnostics == ()
        return loaded.require(), {value["path"]: value for value in said["values"]}

    return call


def profiles_of(catalog: Catalog):
    return catalog.courses["art-1"].profiles


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_gives_the_files_and_the_list_that_are_kept(run, monkeypatch, shape) -> None:
    monkeypatch.chdir(DATA / shape)
    code, out, _ = run(values_of(shape).name, "--instructor", "chen", "--course", "art-1")
    assert code == 0
    assert out == (DATA / shape / "expected.txt").read_text()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_value_is_carried_over_or_listed_once(run, shape) -> None:
    code, out, _ = run(str(values_of(shape)), "--instructor", "chen", "--format", "json")
    said = json.loads(out)
    found = sum(1 for _ in leaves(read(values_of(shape))))
    fates = [value["fate"] for value in said["values"]]
    assert code == 0
    assert said["problems"] == []
    assert said["carried"] + said["listed"] == said["leaves"] == found
    assert len({value["path"] for value in said["values"]}) == found
    assert fates.count("carried") == said["carried"]
    assert all(value.get("reason") or value.get("to") for value in said["values"])


def other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2
    text = str(value)
    digit = text[:1].isdigit()
    return f"{(int(text[0]) + 1) % 10}{text[1:]}" if digit else f"{text}9"


@pytest.mark.parametrize("shape", SHAPES)
def test_another_value_in_place_of_a_carried_one_gives_another_result(shape) -> None:
    data = read(values_of(shape))
    made = convert(data, "art-1", ["chen"])
    carried = [where for where, fate in made.fates.items() if fate.kind == "carried"]
    for where in carried:
        changed = copy.deepcopy(data)
        holder = changed
        for part in where[:-1]:
            holder = holder[part]
        holder[where[-1]] = other(holder[where[-1]])
        again = convert(changed, "art-1", ["chen"])
        assert (again.files, again.fates) != (made.files, made.fates), where


def test_there_are_fixtures_of_many_shapes() -> None:
    assert len(SHAPES) >= 12


def test_files_are_written_and_never_over_others(run, tmp_path) -> None:
    arguments = [str(values_of("plain")), "--instructor", "chen", "--out", str(tmp_path / "new")]
    code, out, _ = run(*arguments, "--course", "art-1")
    assert code == 0
    assert f"written: {tmp_path}/new/art-1.yaml" in out
    assert load(tmp_path / "new").require().courses["art-1"].people[Role.INSTRUCTOR].names == {
        "chen"
    }
    before = (tmp_path / "new" / "campus.yaml").read_bytes()
    code, _, err = run(*arguments, "--course", "art-2")
    assert code == 2
    assert "campus.yaml is there already" in err
    assert (tmp_path / "new" / "campus.yaml").read_bytes() == before
    assert not (tmp_path / "new" / "art-2.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "add --instructor NAME"),
        (["--instructor", "root"], "belongs to an account of the system"),
        (["--instructor", "chen", "--instructor", "Chen"], "one name is given twice"),
        (["--instructor", "chen", "--course", "Art 1"], "--course Art 1: "),
        (["--instructor", "chen", "--course", "campus"], "take another id"),
    ],
)
def test_options_that_make_no_sense_end_with_2_and_a_sentence(run, arguments, sentence) -> None:
    code, out, err = run(str(values_of("plain")), *arguments)
    assert (code, out) == (2, "")
    assert sentence in err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1", "line 1: the file is not valid YAML"),
        ("a: 1\na: 2\n", "line 2: key `a` is set twice"),
        ("a: &a [*a]\n", "an anchor holds itself"),
        ("a: !!python/object:os.system {}\n", "line 1: the file is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "the file is not valid YAML"),
        ("a: 1\n", "no settings of JupyterHub"),
        ("[1, 2]", "no settings of JupyterHub"),
        ("", "no settings of JupyterHub"),
        ("{{ template }}: 1\n", "the file is not valid YAML"),
        ("a:\n" + "".join(f"  x{n}: &x{n} [*x{n - 1}, *x{n - 1}]\n" if n else "  x0: &x0 [1, 2]\n" for n in range(30)), "more than 50000 values"),
        ("[" * 3000, "nested too deeply"),
        ("\x00", "the file is not valid YAML"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_hub_ends_with_2_and_a_sentence(run, tmp_path, text, sentence) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(text)
    code, out, err = run(str(file), "--instructor", "chen")
    assert (code, out) == (2, "")
    assert sentence in err


def test_what_is_no_file_ends_with_2(run, tmp_path) -> None:
    assert run(str(tmp_path), "--instructor", "chen")[0] == 2
    assert run(str(tmp_path / "missing"), "--instructor", "chen")[0] == 2
    (tmp_path / "latin").write_bytes(b"a: \xe9")
    assert "not UTF-8" in run(str(tmp_path / "latin"), "--instructor", "chen")[2]


def test_secrets_are_never_repeated(run, tmp_path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(
        "hub: {config: {GitHubOAuthenticator: {client_secret: hunter2}}}\nsingleuser: {}\n"
    )
    for form in ("text", "json"):
        assert "hunter2" not in run(str(file), "--instructor", "chen", "--format", form)[1]


def test_jupyterhubs_gigabyte_is_binary_and_kubernetes_is_not(imported) -> None:
    catalog, values = imported(
        "singleuser:\n"
        "  profileList:\n"
        "    - {display_name: A, kubespawner_override: {mem_limit: 2G}}\n"
        "    - {display_name: B, kubespawner_override: {extra_resource_limits: {memory: 2G}}}\n"
    )
    assert profiles_of(catalog)["a"].memory.limit == 2 * 2**30
    assert profiles_of(catalog)["b"].memory.limit == 1908 * 2**20
    path = "singleuser.profileList[1].kubespawner_override.extra_resource_limits.memory"
    assert values[path]["reason"] == "became 1908Mi, rounded up"


def test_a_profile_for_some_groups_is_not_opened_to_everybody(imported) -> None:
    catalog, _ = imported(
        "singleuser:\n"
        "  profileList:\n"
        "    - {display_name: All}\n"
        "    - {display_name: Some, allowed_groups: [staff]}\n"
    )
    assert Role.STUDENT in profiles_of(catalog)["all"].who
    assert profiles_of(catalog)["some"].who == {Role.INSTRUCTOR}


def test_whole_cards_become_a_pool_and_a_count(imported) -> None:
    catalog, values = imported(
        "singleuser:\n"
        "  extraResource: {limits: {nvidia.com/gpu: 1}, guarantees: {nvidia.com/gpu: 1}}\n"
        "  profileList:\n"
        "    - {display_name: One}\n"
        "    - {display_name: Two, kubespawner_override: {extra_resource_limits: {nvidia.com/gpu: '2'}}}\n"
        "    - {display_name: Half, kubespawner_override: {extra_resource_limits: {nvidia.com/gpu: 0.5}}}\n"
        "    - {display_name: Without, kubespawner_override: {extra_resource_limits: {nvidia.com/gpu: null}}}\n"
    )
    asked = {name: profile.gpu for name, profile in profiles_of(catalog).items()}
    assert [choice.count for choice in (*asked["one"], *asked["two"])] == [1, 2]
    assert (asked["half"], asked["without"]) == ((), ())
    assert catalog.campus.gpu_pools["nvidia"].cards.per_node == 2
    half = "singleuser.profileList[2].kubespawner_override.extra_resource_limits"
    assert "no number of cards" in values[f'{half}["nvidia.com/gpu"]']["reason"]


def test_an_override_of_nothing_takes_the_hubs_own_value_away(imported) -> None:
    catalog, _ = imported(
        "singleuser:\n"
        "  memory: {limit: 8G, guarantee: 2G}\n"
        "  profileList: [{display_name: A, kubespawner_override: {mem_limit: }}]\n"
    )
    assert profiles_of(catalog)["a"].memory.limit == 2 * 2**30


def test_twelve_combinations_become_profiles_and_thirteen_do_not(imported, tmp_path) -> None:
    def text(count: int) -> str:
        choices = "".join(f"            c{n}: {{display_name: C{n}}}\n" for n in range(count))
        return (
            "singleuser:\n  profileList:\n    - display_name: A\n      profile_options:\n"
            f"        o:\n          choices:\n{choices}"
        )

    assert len(profiles_of(imported(text(12))[0])) == 12
    (tmp_path / "out" / "art-1.yaml").unlink()
    (tmp_path / "out" / "campus.yaml").unlink()
    catalog, values = imported(text(13))
    assert [profile.title.get("en") for profile in profiles_of(catalog).values()] == ["A: C0"]
    left = "singleuser.profileList[0].profile_options.o.choices.c12.display_name"
    assert "one of 13 combinations" in values[left]["reason"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2G", 2 * 2**30),
        ("7.234G", Fraction("7.234") * 2**30),
        ("512M", 512 * 2**20),
        (3902839759, 3902839759),
        ("1073741824", 2**30),
        (1e9, 10**9),
        ("4Gi", 4 * 2**30),
        ("2g", None),
        ("", None),
        (True, None),
        (float("nan"), None),
        ([], None),
        ("-1G", None),
    ],
)
def test_amounts_of_memory_are_read_as_jupyterhub_reads_them(value, expected) -> None:
    assert amounts.jupyterhub_bytes(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<b>Big</b> &amp; small", "Big & small"),
        ("a<br>b", "a b"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<style>p {}</style>x<script>alert(1)</script>", "x"),
        ("  two\n lines ", "two lines"),
        ("中文 😀", "中文 😀"),
        ("x\u202ey\u0000", "xy"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_html_becomes_one_line_of_plain_text(text, expected) -> None:
    assert texts.plain(text) == expected


def test_ids_are_short_distinct_and_never_a_rest_of_chinese() -> None:
    assert texts.identifier("Café: 2 GB!", "x") == "cafe-2-gb"
    assert texts.identifier("小型环境（2 GB）", "profile-1") == "profile-1"
    assert texts.identifier("2 GB", "x") == "p-2-gb"
    assert texts.identifier("a" * 40, "x", {"a" * 30}) == "a" * 28 + "-2"
