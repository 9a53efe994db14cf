"""Profiles: sizes, idle times, what instead, licenses, images; and keys from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import snippets

from lectern_spawner.catalog import Diagnostic, load

PROFILE = "image: datascience, cpu: 1, memory: 1Gi"


def found(folder: Path, snippet: str) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a campus that holds a snippet."""
    snippets.write(folder, snippet)
    return load(folder).diagnostics


def codes(folder: Path, snippet: str) -> list[str]:
    """Return the codes of what is wrong."""
    return [item.code for item in found(folder, snippet)]


@pytest.mark.parametrize(
    ("idle", "expected"),
    [
        ("{warn: 45m, stop: 60m, longest: 8h}", []),
        ("{warn: 60m, stop: 60m}", ["LEC513"]),
        ("{warn: 90m, stop: 60m}", ["LEC513"]),
        ("{stop: 8h, longest: 8h}", ["LEC513"]),
        ("{warn: 9h, longest: 8h}", ["LEC513"]),
        ("{warn: 3h, stop: 2h, longest: 1h}", ["LEC513", "LEC513"]),
        ("{longest: 8h}", []),
        ("{}", []),
        ("{stop: 1h30m, keep: {times: 2, each: 1h}}", []),
        ("{keep: {times: 2}}", ["LEC102"]),
        ("{stop: 0m}", ["LEC106"]),
        ("{stop: 401d}", ["LEC106"]),
        ("{stop: 1.5h}", ["LEC210"]),
        ("{stop: 30m1h}", ["LEC210"]),
        ("{stop: never}", ["LEC210"]),
        ("{stop: true}", ["LEC210"]),
        ('{stop: ""}', ["LEC210"]),
        ("{stop: 2026-09-07}", ["LEC210"]),
    ],
)
def test_idle_times(idle: str, expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, f"idle: {idle}\n") == expected


@pytest.mark.parametrize(
    ("written", "help_"),
    [
        ("45", "write `45m`"),
        ("3600", "write `3600s`"),
        ("2 hours", "write `2h`"),
        ("45 min", "write `45m`"),
        ("+1h", "write `1h`"),
        ("soon", "write for example `45m` or `1h30m`"),
    ],
)
def test_a_length_of_time_is_mended_as_it_was_meant(
    written: str, help_: str, tmp_path: Path
) -> None:
    (item,) = found(tmp_path, f"idle: {{stop: {written}}}\n")
    assert item.help == help_


def profiles(folder: Path, **more: str) -> list[tuple[str, str]]:
    """Return code and path of what is wrong with profiles a, b, ... with these keys."""
    lines = [f"  {name}: {{title: T, {PROFILE}{keys}}}\n" for name, keys in more.items()]
    return [(item.code, item.path) for item in found(folder, "profiles:\n" + "".join(lines))]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"a": ", instead: b", "b": ""}, []),
        ({"a": ", instead: b", "b": ", instead: c", "c": ""}, []),
        ({"a": ", instead: a"}, ["LEC417 profiles.a.instead"]),
        ({"a": ", instead: b", "b": ", instead: a"}, ["LEC417 profiles.a.instead"]),
        # The circle is b and c; a only leads into it.
        (
            {"a": ", instead: b", "b": ", instead: c", "c": ", instead: b"},
            ["LEC417 profiles.b.instead"],
        ),
        (
            {
                "a": ", instead: b",
                "b": ", instead: a",
                "c": ", instead: d",
                "d": ", instead: c",
            },
            ["LEC417 profiles.a.instead", "LEC417 profiles.c.instead"],
        ),
        ({"a": ", instead: z"}, ["LEC310 profiles.a.instead"]),
        ({"a": ", instead: b", "b": ", who: [instructor]"}, ["LEC418 profiles.a.instead"]),
        ({"a": ", instead: b, who: [instructor]", "b": ""}, []),
        ({"a": ", instead: b, who: [student]", "b": ", who: [student, assistant]"}, []),
        ({"a": ", who: [student, student]"}, ["LEC110 profiles.a.who[1]"]),
        ({"a": ", who: []"}, ["LEC105 profiles.a.who"]),
    ],
)
def test_what_is_offered_instead(more: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    assert [f"{code} {path}" for code, path in profiles(tmp_path, **more)] == expected


def test_a_very_long_way_of_profiles_is_followed_at_once(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(600)]
    ring = {name: f", instead: {after}" for name, after in zip(names, names[1:] + names[:1])}
    assert profiles(tmp_path, **ring) == [("LEC417", "profiles.p0.instead")]


@pytest.mark.parametrize(
    ("license_", "expected"),
    [
        ("{count: 50}", []),
        ("{unlimited: true}", []),
        ("{unlimited: false}", ["LEC118"]),
        ("{}", ["LEC118"]),
        ("{count: 50, unlimited: true}", ["LEC115"]),
        ("{count: 0}", ["LEC106"]),
        ("{lmstat: {server: 27000@host, feature: A}, count: 1}", ["LEC115"]),
        ("{lmstat: {server: 70000@host, feature: A}}", ["LEC219"]),
        ("{lmstat: {server: host, feature: A}}", ["LEC219"]),
        ("{lmstat: {server: 27000@host}}", ["LEC102"]),
        ("{prometheus: {url: https://a.example/metrics, feature: A}}", []),
        ("{prometheus: {url: https://me:secret@a.example/, feature: A}}", ["LEC220"]),
        ("{prometheus: {url: ftp://a.example/, feature: A}}", ["LEC220"]),
        ("{prometheus: {url: 'javascript:alert(1)', feature: A}}", ["LEC220"]),
        ("{prometheus: {url: https://a.example/ b, feature: A}}", ["LEC220"]),
        ("{count: 50, reserve: {staff: 25, outside: 25}}", []),
        ("{count: 50, reserve: {staff: 25, outside: 26}}", ["LEC419"]),
        ("{count: 50, reserve: {staff: 25, courses: {art-1: 26}}}", ["LEC419"]),
        ("{unlimited: true, reserve: {staff: 25}}", ["LEC117"]),
        ("{count: 50, reserve: {staff: -1}}", ["LEC106"]),
    ],
)
def test_a_license_of_the_campus(license_: str, expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, f"# campus.yaml\nlicenses: {{matlab: {license_}}}\n") == expected


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        ("license: matlab", []),
        ("license: [matlab, simulink]", []),
        ("license: [matlab, matlab]", ["LEC110"]),
        ("license: [matlab, matlb]", ["LEC309"]),
        ("license: []", ["LEC105"]),
        ("license: Matlab", ["LEC203"]),
        ("lessons: {weekly: [{day: tue, periods: 1, licenses: {matlab: 40}}]}", []),
        ("lessons: {weekly: [{day: tue, periods: 1, licenses: {matlab: 41}}]}", ["LEC420"]),
        ("lessons: {weekly: [{day: tue, periods: 1, licenses: {matlb: 1}}]}", ["LEC309"]),
        ("lessons: {weekly: [{day: tue, periods: 1, licenses: {simulink: 9999}}]}", []),
    ],
)
def test_a_license_of_a_course(course: str, expected: list[str], tmp_path: Path) -> None:
    campus = (
        "# campus.yaml\nlicenses:\n  matlab: {count: 50, reserve: {outside: 10, staff: 5}}\n"
        "  simulink: {unlimited: true}\ncalendars:\n  main:\n    timezone: UTC\n"
        '    periods: [{from: "08:00", to: "09:00"}]\n# art-1.yaml\n'
    )
    assert codes(tmp_path, f"{campus}{course}\n") == expected


@pytest.mark.parametrize(
    ("image", "profile", "expected"),
    [
        ("", "app: desktop", []),
        (", capabilities: [gpu]", "app: jupyter", []),
        (", capabilities: [gpu]", "app: none", []),
        (", capabilities: [gpu]", "app: desktop", ["LEC423"]),
        (", capabilities: [gpu]", "app: matlab-vnc", ["LEC423"]),
        (", capabilities: [matlab]", "app: matlab-web", []),
        (", capabilities: [gpu]", "app: {command: [gimp], title: GIMP}", ["LEC423"]),
        (", capabilities: [desktop]", "app: {command: [gimp], title: GIMP}", []),
        (", capabilities: [desktop]", "gpu: {count: 1}", ["LEC423"]),
        (", capabilities: [gpu]", "gpu: {count: 1}", []),
        (", capabilities: [fortran]", "app: jupyter", ["LEC104"]),
        (", status: deprecated", "app: jupyter", ["LEC901"]),
        (", status: deprecated, successor: newer", "app: jupyter", ["LEC301"]),
        (", successor: datascience", "app: jupyter", ["LEC117", "LEC301"]),
        ("", "app: {command: [gimp, 2], title: GIMP}", ["LEC103"]),
        ("", "app: {command: [], title: GIMP}", ["LEC105"]),
        ("", "app: emacs", ["LEC104"]),
    ],
)
def test_an_image_and_what_a_profile_does_with_it(
    image: str, profile: str, expected: list[str], tmp_path: Path
) -> None:
    text = (
        "# campus.yaml\nimages:\n"
        f"  datascience: {{title: D, ref: lectern/datascience:1{image}}}\n"
        "gpu_pools: {lab: {backend: whole, cards: {model: T4, memory: 15360Mi}}}\n"
        f"# art-1.yaml\n{profile}\n"
    )
    assert sorted(codes(tmp_path, text)) == expected


DANGEROUS = """
    privileged allowPrivilegeEscalation allow_privilege_escalation hostNetwork host_network
    host-network HOSTPID hostIPC hostPath volumes volume_mounts extraVolumes service_account
    serviceAccountName automountServiceAccountToken uid gid fsGroup run_as_user runAsNonRoot
    securityContext container_security_context capabilities extra_pod_config initContainers
    extra_containers lifecycle_hooks modify_pod_hook userns hostUsers sysctls procMount
"""


@pytest.mark.parametrize("key", DANGEROUS.split())
@pytest.mark.parametrize("place", ["course", "profile", "gpu"])
def test_a_key_that_would_break_isolation_is_refused_everywhere(
    key: str, place: str, tmp_path: Path
) -> None:
    text = {
        "course": f"course: art-1\n{key}: 0\n",
        "profile": f"cpu: 1\n{key}: 0\n",
        "gpu": f"gpu: {{count: 1, {key}: 0}}\n",
    }[place]
    diagnostics = found(tmp_path, text)
    assert [item.code for item in diagnostics] == ["LEC407"]
    assert diagnostics[0].path.endswith(key)
    assert diagnostics[0].help is None


@pytest.mark.parametrize(
    ("keys", "code", "help_"),
    [
        ("{title: T, image: datascience, cpu: 1, mem_limit: 1G}", "LEC116", "write `memory`"),
        ("{title: T, image: datascience, cpu: 1, memLimit: 1G}", "LEC116", "write `memory`"),
        ("{display_name: T, image: datascience, cpu: 1, memory: 1Gi}", "LEC116", "write `title`"),
        (
            "{title: T, image: datascience, cpu: 1, mem_guarantee: 1G}",
            "LEC116",
            "write `memory: {guarantee: …, limit: …}`",
        ),
        ("{title: T, imagge: datascience, cpu: 1, memory: 1Gi}", "LEC101", "did you mean `image`?"),
        (
            f"{{title: T, {PROFILE}, slug: a}}",
            "LEC116",
            "the key of the profile is its id",
        ),
        (
            f"{{title: T, {PROFILE}, kubespawner_override: {{privileged: true}}}}",
            "LEC116",
            "write its keys here, by their names in Lectern",
        ),
        (f"{{title: T, {PROFILE}, extraEnv: {{A: b}}}}", "LEC116", "write `env`"),
    ],
)
def test_a_key_of_another_system_says_what_to_write_and_nothing_else(
    keys: str, code: str, help_: str, tmp_path: Path
) -> None:
    (item,) = found(tmp_path, f"profiles:\n  notebook: {keys}\n")
    assert (item.code, item.help) == (code, help_)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ("{OMP_NUM_THREADS: '2'}", []),
        ("{OMP_NUM_THREADS: 2}", ["LEC103"]),
        ("{LD_PRELOAD: x}", ["LEC404"]),
        ("{NVIDIA_VISIBLE_DEVICES: all}", ["LEC404"]),
        ("{CUDA_VISIBLE_DEVICES: '0'}", ["LEC404"]),
        ("{CUDA_DISABLE_CONTROL: 'true'}", ["LEC407"]),
        ("{CUDA_MPS_PIPE_DIRECTORY: /tmp}", ["LEC407"]),
        ("{CUDA_DEVICE_MEMORY_LIMIT_0: 0m}", ["LEC407"]),
        ("{CUDA_DEVICE_SM_LIMIT: '100'}", ["LEC407"]),
        ("{ALIYUN_COM_GPU_MEM_DEV: '0'}", ["LEC407"]),
        ("{CGPU_DISABLE: 'true'}", ["LEC407"]),
        ("{GPU_CORE_UTILIZATION_POLICY: disable}", ["LEC407"]),
        ("{CUDA_DEVICE_ORDER: PCI_BUS_ID}", []),
        ("{CUDA_DEVICE_MAX_CONNECTIONS: '1'}", []),
        ("{CUDA_LAUNCH_BLOCKING: '1'}", []),
        ("{ld_preload: x}", ["LEC207"]),
        ("{JUPYTERHUB_API_TOKEN: x}", ["LEC404"]),
    ],
)
def test_environment_variables(env: str, expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, f"env: {env}\n") == expected
