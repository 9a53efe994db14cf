"""What a profile asks of GPUs against pools of every backend."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import snippets

from lectern_spawner.catalog import Diagnostic, load
from lectern_spawner.catalog.rules.pools import mig_per_card
from lectern_spawner.catalog.sections.pools import BACKENDS

RTX = "cards: {model: RTX, memory: 7982Mi, per_node: 2}"
CARD8 = "cards: {model: C8, memory: 8192Mi}"
T4 = "cards: {model: T4, memory: 15360Mi, per_node: 2}"
A100 = "cards: {model: A100, memory: 40960Mi}"
H100 = "cards: {model: H100, memory: 81559Mi, per_node: 8}"
POOLS = {
    "whole": f"{{backend: whole, {RTX}}}",
    "amd": "{backend: whole, vendor: amd, cards: {model: MI210, memory: 65520Mi}}",
    "time-slicing": f"{{backend: time-slicing, replicas: 4, renamed: true, {T4}}}",
    "mps": f"{{backend: mps, replicas: 2, {RTX}}}",
    "mps-8192": f"{{backend: mps, replicas: 2, {CARD8}}}",
    "mps-thirds": f"{{backend: mps, replicas: 3, {CARD8}}}",
    "mig": f"{{backend: mig, {A100}, mig: {{profiles: {{1g.5gb: 4, 3g.20gb: 1}}}}}}",
    "mig-small": f"{{backend: mig, {A100}, mig: {{profiles: {{1g.5gb: 7}}}}}}",
    "mig-media": f"{{backend: mig, {A100}, mig: {{profiles: {{1g.5gb+me: 1, 1g.5gb: 6}}}}}}",
    "vgpu": f"{{backend: vgpu, {T4}}}",
    "hami": f"{{backend: hami, {RTX}}}",
    "hami-reserve": f"{{backend: hami, reserve: 300Mi, {RTX}}}",
    "hami-factor": f"{{backend: hami, memory_factor: 10, {RTX}}}",
    "kai": f"{{backend: kai, queue: lab, {T4}}}",
    "kai-isolator": f"{{backend: kai, queue: lab, isolator: true, {T4}}}",
    "runai": f"{{backend: runai, queue: lab, {T4}}}",
    "dra": f"{{backend: dra, {H100}}}",
    "dra-memory": f"{{backend: dra, mode: memory, {H100}}}",
    "dra-shares": f"{{backend: dra, mode: shares, replicas: 4, {H100}}}",
    "dra-mig": f"{{backend: dra, mode: mig, {H100}, mig: {{profiles: {{1g.10gb: 7}}}}}}",
    "dra-hami": f"{{backend: dra, mode: hami-core, {H100}}}",
    "volcano": f"{{backend: volcano, {T4}}}",
    "koordinator": f"{{backend: koordinator, {T4}}}",
    "gpu-manager": f"{{backend: gpu-manager, {RTX}}}",
    "gpu-manager-h100": f"{{backend: gpu-manager, {H100}}}",
    "gpushare": f"{{backend: gpushare, {RTX}}}",
    "gpushare-8192": f"{{backend: gpushare, {CARD8}}}",
    "gpushare-mib": f"{{backend: gpushare, memory_unit: MiB, {RTX}}}",
    "mps-env": f"{{backend: mps-env, {CARD8}}}",
    "custom": f"{{backend: custom, {T4}, custom: {{resource: a.example/gpu, unit: percent,"
    " minimum: 5, multiple: 5}}",
    "custom-mib": f"{{backend: custom, {T4}, custom: {{resource: a.example/gpu, unit: MiB,"
    " minimum: 1024}}",
}
VECTORS = [
    ("whole", "{count: 2}", ""),
    ("whole", "{share: 1}", ""),
    ("whole", "{share: 1/2}", "LEC409"),
    ("whole", "{memory: 4Gi}", ""),
    ("whole", "{count: 0}", "LEC106"),
    ("whole", "{count: true}", "LEC103"),
    ("whole", "{count: 3}", "LEC413"),
    ("whole", "{count: 1, isolation: hardware}", ""),
    ("whole", "none", ""),
    ("whole", "{mig: 1g.5gb}", "LEC314"),
    ("amd", "{count: 1}", ""),
    ("time-slicing", "{share: 1/4}", ""),
    ("time-slicing", "{share: 25%}", ""),
    ("time-slicing", "{share: 0.25}", ""),
    ("time-slicing", "{share: 1/3}", "LEC409"),
    ("time-slicing", "{share: 1/2}", "LEC409"),
    ("time-slicing", "{share: 1}", "LEC409"),
    ("time-slicing", "{memory: 3Gi}", "LEC410"),
    ("time-slicing", "{memory: 4Gi}", "LEC410"),
    ("time-slicing", "{count: 2}", "LEC409"),
    ("time-slicing", "{count: 1}", "LEC409"),
    ("time-slicing", "{share: 1/4, isolation: memory}", "LEC410"),
    ("time-slicing", "{share: 1/4, isolation: none}", ""),
    ("mps", "{share: 1/2}", ""),
    ("mps", "{memory: 4Gi}", "LEC408"),
    ("mps", "{memory: 3991Mi}", ""),
    ("mps", "{share: 1/2, isolation: compute}", ""),
    ("mps", "{share: 1/2, isolation: hardware}", "LEC410"),
    ("mps", "{count: 1}", "LEC409"),
    ("mps-8192", "{share: 1/2}", ""),
    ("mps-8192", "{memory: 4Gi}", ""),
    ("mps-thirds", "{share: 1/3}", ""),
    ("mig", "{mig: 1g.5gb}", ""),
    ("mig", "{mig: 1g.6gb}", "LEC314"),
    ("mig", "{mig: 1g.5gb, count: 2}", "LEC115"),
    ("mig", "{memory: 4Gi}", ""),
    ("mig", "{memory: 5Gi}", ""),
    ("mig", "{share: 1/7}", ""),
    ("mig", "{share: 1/100}", ""),
    ("mig", "{share: 1/2}", ""),
    ("mig", "{share: 3/4}", "LEC409"),
    ("mig", "{share: 1/2, isolation: hardware}", ""),
    ("mig", "{count: 1}", "LEC409"),
    ("mig-small", "{share: 1/2}", "LEC409"),
    ("mig-small", "{share: 1/7}", ""),
    ("mig-small", "{memory: 5Gi}", "LEC408"),
    ("mig-small", "{memory: 4864Mi}", ""),
    ("mig-media", "{mig: 1g.5gb+me}", ""),
    ("mig-media", "{mig: 1g.5gb+gfx}", "LEC314"),
    ("vgpu", "{count: 1}", ""),
    ("vgpu", "{share: 1/2}", "LEC409"),
    ("hami", "{share: 1/2}", ""),
    ("hami", "{share: 1/3, cores: 50%}", ""),
    ("hami", "{memory: 4Gi}", ""),
    ("hami", "{memory: 7982Mi}", ""),
    ("hami", "{memory: 8Gi}", "LEC408"),
    ("hami", "{memory: 4000M}", "LEC201"),
    ("hami", '{memory: "4096"}', "LEC201"),
    ("hami", "{count: 2, memory: 4Gi}", ""),
    ("hami", "{count: 2, share: 1/2}", ""),
    ("hami", "{count: 2, share: 1/2, memory: 4Gi}", "LEC115"),
    ("hami", "{count: 1}", ""),
    ("hami", "{share: 1/20}", ""),
    ("hami", "{share: 1/200}", "LEC411"),
    ("hami", "{share: 1/2, isolation: memory}", ""),
    ("hami", "{share: 1/2, isolation: hardware}", "LEC410"),
    ("hami", "{count: 1, isolation: hardware}", ""),
    ("hami", "{share: 1, isolation: hardware}", ""),
    ("hami-reserve", "{memory: 7682Mi}", ""),
    ("hami-reserve", "{memory: 7683Mi}", "LEC408"),
    ("hami-factor", "{memory: 7980Mi}", ""),
    ("hami-factor", "{memory: 7981Mi}", "LEC408"),
    ("kai", "{share: 1/3}", ""),
    ("kai", "{memory: 4Gi}", ""),
    ("kai", "{count: 1}", ""),
    ("kai", "{share: 1}", ""),
    ("kai", "{share: 1/200}", "LEC411"),
    ("kai", "{count: 2, share: 1/2}", ""),
    ("kai", "{share: 1/2, isolation: memory}", "LEC410"),
    ("kai-isolator", "{share: 1/2, isolation: memory}", ""),
    ("kai-isolator", "{share: 1/2, isolation: compute}", "LEC410"),
    ("runai", "{share: 1/2, isolation: memory}", ""),
    ("runai", "{count: 2, share: 1/2}", "LEC412"),
    ("dra", "{count: 8}", ""),
    ("dra", "{count: 9}", "LEC413"),
    ("dra", "{share: 1/2}", "LEC409"),
    ("dra-memory", "{memory: 4Gi}", ""),
    ("dra-memory", "{memory: 4Gi, isolation: memory}", "LEC410"),
    ("dra-memory", "{count: 2, memory: 4Gi}", ""),
    ("dra-shares", "{share: 1/4}", ""),
    ("dra-shares", "{share: 1/8}", "LEC409"),
    ("dra-shares", "{count: 1}", "LEC409"),
    ("dra-mig", "{mig: 1g.10gb}", ""),
    ("dra-mig", "{mig: 1g.5gb}", "LEC314"),
    ("dra-mig", "{share: 1/7, isolation: hardware}", ""),
    ("dra-hami", "{memory: 4Gi, isolation: memory}", ""),
    ("volcano", "{share: 1/4}", ""),
    ("volcano", "{count: 2, memory: 4Gi}", ""),
    ("volcano", "{count: 2}", ""),
    ("koordinator", "{share: 1/2}", ""),
    ("koordinator", "{memory: 5Gi}", ""),
    ("koordinator", "{count: 2, memory: 5Gi}", "LEC412"),
    ("gpu-manager", "{share: 1/2}", ""),
    ("gpu-manager", "{memory: 4Gi}", ""),
    ("gpu-manager", "{count: 2}", ""),
    ("gpu-manager", "{count: 2, share: 1}", ""),
    ("gpu-manager", "{count: 2, share: 1/2}", "LEC412"),
    ("gpu-manager", "{share: 1/31}", ""),
    ("gpu-manager", "{share: 1/32}", "LEC411"),
    ("gpu-manager", "{share: 1/100}", "LEC411"),
    # 31 blocks of 256Mi: what the card has beyond them cannot be asked for.
    ("gpu-manager", "{memory: 7936Mi}", ""),
    ("gpu-manager", "{memory: 7937Mi}", "LEC408"),
    ("gpu-manager-h100", "{share: 1/100}", ""),
    ("gpu-manager-h100", "{share: 1/101}", "LEC411"),
    ("gpushare", "{share: 1/2}", ""),
    ("gpushare", "{memory: 7Gi}", ""),
    ("gpushare", "{memory: 7169Mi}", "LEC408"),
    ("gpushare", "{memory: 8Gi}", "LEC408"),
    ("gpushare", "{share: 1/2, isolation: memory}", "LEC410"),
    ("gpushare-8192", "{share: 1/8}", ""),
    ("gpushare-8192", "{share: 1/10}", "LEC411"),
    ("gpushare-8192", "{memory: 5000Mi}", ""),
    ("gpushare-mib", "{memory: 7982Mi}", ""),
    ("gpushare-mib", "{share: 1/500}", ""),
    ("mps-env", "{share: 1/2}", ""),
    ("mps-env", "{memory: 3Gi}", ""),
    ("mps-env", "{count: 2, share: 1/2}", "LEC413"),
    ("custom", "{share: 1/20}", ""),
    ("custom", "{share: 1/25}", "LEC411"),
    ("custom-mib", "{share: 1/15}", ""),
    ("custom-mib", "{share: 1/16}", "LEC411"),
]


def found(folder: Path, pools: str, gpu: str, limits: str = "") -> tuple[Diagnostic, ...]:
    """Return what is wrong with a request in a campus with these pools."""
    snippets.write(folder, f"# campus.yaml\ngpu_pools: {pools}\n{limits}# art-1.yaml\ngpu: {gpu}\n")
    return load(folder).diagnostics


@pytest.mark.parametrize(("pool", "gpu", "code"), VECTORS)
def test_a_request_against_one_pool(pool: str, gpu: str, code: str, tmp_path: Path) -> None:
    diagnostics = found(tmp_path, f"{{{pool}: {POOLS[pool]}}}", gpu)
    assert [item.code for item in diagnostics] == ([code] if code else [])


def test_the_table_has_every_backend() -> None:
    tried = {POOLS[pool].split("backend: ")[1].split(",")[0] for pool, _, _ in VECTORS}
    assert tried == set(BACKENDS)


TWO = "{slow: " + POOLS["time-slicing"] + ", fast: " + POOLS["hami"] + "}"


@pytest.mark.parametrize(
    ("gpu", "codes"),
    [
        # Without a name any pool will do that can.
        ("{share: 1/3}", []),
        ("{share: 1/4}", []),
        ("{memory: 4Gi}", []),
        ("{share: 1/3, pool: slow}", ["LEC409"]),
        # A pool that is named must be able to; the others do not help.
        ("{share: 1/3, pool: [fast, slow]}", ["LEC409"]),
        ("{share: 1/4, pool: [fast, slow]}", []),
        ("{share: 1/3, model: T4}", ["LEC409"]),
        ("{share: 1/3, model: [T4, RTX]}", []),
        ("{share: 1/3, model: V100}", ["LEC315"]),
        ("{share: 1/3, model: T4, pool: fast}", ["LEC315"]),
        ("{share: 1/3, pool: [fast, quick]}", ["LEC307"]),
        ("{memory: 16Gi}", ["LEC408", "LEC410"]),
        ("{count: 4}", ["LEC413"]),
        ("[{share: 1/3, pool: fast}, {share: 1/4, pool: slow}]", []),
        ("[{share: 1/3, pool: fast}, {share: 1/3, pool: slow}]", ["LEC409"]),
        ("[{share: 1/3}, {pool: slow}]", ["LEC118"]),
        ("[]", ["LEC105"]),
        ("[none]", ["LEC103"]),
        ("half", ["LEC103"]),
        ("{share: 1/2, memory: 2Gi, mig: 1g.5gb}", ["LEC115"]),
        ("{isolation: memory}", ["LEC118"]),
        ("{share: 1/3, isolation: all}", ["LEC104"]),
    ],
)
def test_a_request_against_several_pools(gpu: str, codes: list[str], tmp_path: Path) -> None:
    assert [item.code for item in found(tmp_path, TWO, gpu)] == codes


def test_the_failing_alternative_of_a_list_is_marked(tmp_path: Path) -> None:
    gpu = "[{share: 1/3, pool: fast}, {share: 1/3, pool: slow}]"
    (item,) = found(tmp_path, TWO, gpu)
    assert item.path == "profiles.notebook.gpu[1].share"


def test_a_request_that_no_pool_can_meet_is_reported_for_each(tmp_path: Path) -> None:
    diagnostics = found(tmp_path, TWO, "{count: 1, share: 1/3, isolation: hardware}")
    assert {item.code for item in diagnostics} == {"LEC409", "LEC410"}


@pytest.mark.parametrize(
    ("limit", "gpu", "codes"),
    [
        ("share: 1/2", "{share: 1/2}", []),
        ("share: 1/2", "{share: 2/3}", ["LEC401"]),
        # A whole card is more than half of one.
        ("share: 1/2", "{count: 1}", ["LEC401"]),
        ("cards: 1", "{count: 1}", []),
        ("cards: 1", "{count: 2}", ["LEC401"]),
        ("cards: 1, share: 1/2", "{count: 1}", []),
        ("cards: 0", "{count: 1}", ["LEC401"]),
    ],
)
def test_the_campus_limits_parts_and_whole_cards(
    limit: str, gpu: str, codes: list[str], tmp_path: Path
) -> None:
    pools = f"{{lab: {POOLS['hami']}}}"
    limits = f"limits: {{largest: {{{limit}}}}}\n"
    assert [item.code for item in found(tmp_path, pools, gpu, limits)] == codes


@pytest.mark.parametrize(
    ("pool", "codes"),
    [
        (f"{{backend: hami, replicas: 4, {T4}}}", ["LEC117"]),
        (f"{{backend: mps, {T4}}}", ["LEC118"]),
        (f"{{backend: mig, {A100}}}", ["LEC118"]),
        (f"{{backend: kai, {T4}}}", ["LEC118"]),
        (f"{{backend: custom, {T4}}}", ["LEC118"]),
        (f"{{backend: dra, mode: shares, {T4}}}", ["LEC118"]),
        (f"{{backend: dra, mode: memory, replicas: 2, {T4}}}", ["LEC117"]),
        (f"{{backend: dra, mode: mig, {A100}}}", ["LEC118"]),
        (f"{{backend: time-slicing, vendor: amd, replicas: 2, {T4}}}", ["LEC424"]),
        (f"{{backend: gpushare, vendor: huawei, {T4}}}", ["LEC424"]),
        (f"{{backend: hami, vendor: huawei, {T4}}}", []),
        (f"{{backend: hami, reserve: 15359Mi, {T4}}}", []),
        (f"{{backend: hami, reserve: 15360Mi, {T4}}}", ["LEC422"]),
        (f"{{backend: mig, {A100}, mig: {{profiles: {{1g.5gb: 8}}}}}}", ["LEC425"]),
        (f"{{backend: mig, {A100}, mig: {{profiles: {{3g.20gb: 2}}}}}}", []),
        (f"{{backend: mig, {A100}, mig: {{profiles: {{3g.20gb: 2, 1g.5gb: 1}}}}}}", ["LEC425"]),
        (f"{{backend: mig, {A100}, mig: {{profiles: {{1g.10gb: 4, 1g.5gb: 1}}}}}}", ["LEC425"]),
        (f"{{backend: mig, {H100}, mig: {{profiles: {{1g.10gb: 7}}}}}}", []),
        (f"{{backend: mig, {T4}, mig: {{profiles: {{1g.5gb: 7}}}}}}", ["LEC425"]),
        (f"{{backend: mig, {A100}, mig: {{profiles: {{}}}}}}", ["LEC105"]),
        (f"{{backend: hami, {T4}, tolerations: [{{key: a, operator: Equal}}]}}", ["LEC118"]),
        (f"{{backend: hami, {T4}, tolerations: [{{key: a, value: b}}]}}", ["LEC117"]),
        (f"{{backend: slices, {T4}}}", ["LEC104"]),
    ],
)
def test_a_pool_by_itself(pool: str, codes: list[str], tmp_path: Path) -> None:
    snippets.write(tmp_path, f"# campus.yaml\ngpu_pools: {{lab: {pool}}}\n")
    assert [item.code for item in load(tmp_path).diagnostics] == codes


@pytest.mark.parametrize(
    ("profile", "mebibytes", "number"),
    [
        ("1g.5gb", 40960, 7),
        ("1g.10gb", 40960, 4),
        ("2g.10gb", 40960, 3),
        ("3g.20gb", 40960, 2),
        ("4g.20gb", 40960, 1),
        ("7g.40gb", 40960, 1),
        ("1g.10gb", 81559, 7),
        ("1g.20gb", 81559, 4),
        ("3g.40gb", 81559, 2),
        ("1g.18gb", 143771, 7),
        ("1g.35gb", 143771, 4),
        ("3g.71gb", 143771, 2),
        ("1g.6gb", 24576, 4),
        ("2g.12gb", 24576, 2),
        ("4g.24gb", 24576, 1),
    ],
)
def test_as_many_mig_profiles_fit_a_card_as_nvidia_says(
    profile: str, mebibytes: int, number: int
) -> None:
    assert mig_per_card(profile, mebibytes * 2**20) == number
