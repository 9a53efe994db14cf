"""The spawner of pods without a cluster: what it sets, and what it refuses."""

from __future__ import annotations

from types import SimpleNamespace

import kubespawner.spawner
import pytest
from jupyterhub.objects import Hub
from kubespawner import KubeSpawner
from traitlets import TraitError
from traitlets.config import Config

from lectern_spawner.catalog import Catalog
from lectern_spawner.kubernetes import rights
from lectern_spawner.kubernetes.spawner import CourseKubeSpawner
from lectern_spawner.spawning import LiveCatalog
from tests.unit.kubernetes.test_pod import PLAN


@pytest.fixture
def make(monkeypatch, tmp_path):
    """Make a spawner that asks no API server."""
    monkeypatch.setattr(kubespawner.spawner, "load_config", lambda **_: None)
    monkeypatch.setattr(kubespawner.spawner, "shared_client", lambda _: None)

    def spawner(**settings) -> CourseKubeSpawner:
        config = Config({"CourseKubeSpawner": {"state_dir": str(tmp_path), **settings}})
        user = SimpleNamespace(
            name="alice", id=1, url="/user/alice/", escaped_name="alice", groups=[]
        )
        return CourseKubeSpawner(
            _mock=True, config=config, user=user, hub=Hub(), api_token="t", oauth_client_id="c"
        )

    return spawner


def test_every_trait_that_is_set_exists():
    """A misspelt one would be an attribute that nobody reads."""
    assert {
        "cpu_limit", "cpu_guarantee", "mem_limit", "mem_guarantee", "image",
        "extra_resource_limits", "extra_resource_guarantees",
    } <= set(KubeSpawner.class_traits())  # fmt: skip


def test_a_start_sets_every_resource_anew(make):
    spawner = make()
    spawner.extra_resource_limits = {"nvidia.com/gpu": "1"}
    spawner.apply_plan(PLAN)
    assert spawner.extra_resource_limits == {}
    assert spawner.image == PLAN.image
    assert (spawner.mem_guarantee, spawner.mem_limit) == (1 << 30, 2 << 30)


async def test_the_pod_is_the_sites_with_what_the_plan_says(make):
    spawner = make(node_selector={"room": "b"}, extra_labels={"site": "lab"})
    spawner.plan = PLAN
    spawner.apply_plan(PLAN)
    made = await spawner.get_pod_manifest()
    assert made.spec.node_selector == {"room": "b"}
    assert made.metadata.labels["site"] == "lab"
    assert made.metadata.labels["lectern/profile"] == "notebook"
    assert made.spec.security_context.run_as_user >= 1_900_000_000
    assert made.spec.containers[0].args[0] == "jupyterhub-singleuser"
    assert made.spec.containers[0].resources.limits["memory"] == str(2 << 30)


def test_profiles_of_kubespawner_are_refused_with_a_sentence(make):
    spawner = make()
    spawner.live = LiveCatalog(Catalog.__new__(Catalog))
    with pytest.raises(TraitError, match="profiles are those of the course files"):
        spawner.profile_list = [{"display_name": "Any image"}]


def test_the_hub_asks_for_few_rights_and_for_no_secrets():
    pairs = [(what, verb) for what, verbs in rights.PERMISSIONS.items() for verb in verbs]
    assert len(pairs) <= 8
    assert not {"secrets", "*"} & {word for pair in pairs for word in pair}
