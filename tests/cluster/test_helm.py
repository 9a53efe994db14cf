"""A chart is installed and removed with helm, as the chart of Lectern will be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cluster import programs
from cluster.images import BUSYBOX

CHART = "apiVersion: v2\nname: hello\nversion: 1.0.0\nkubeVersion: '>=1.30.0'\n"
TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: {{ .Values.image }}
          imagePullPolicy: IfNotPresent
          command: [sh, -c, 'echo yes >/tmp/index.html; exec httpd -f -p 8080 -h /tmp']
          readinessProbe: {httpGet: {port: 8080, path: /index.html}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: 8080}]
"""


@pytest.fixture
def chart(tmp_path) -> Path:
    folder = tmp_path / "hello"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(CHART)
    (folder / "values.yaml").write_text(f"replicas: 1\nimage: {BUSYBOX}\n")
    (folder / "templates" / "all.yaml").write_text(TEMPLATE)
    return folder


@pytest.fixture
def helm(own_cluster, host_node, namespace, tmp_path):
    """Run helm as a person would, with all its own files in a folder of the test."""
    assert host_node
    program = programs.built("helm", print)

    def run(*words: str | Path) -> str:
        command = [
            program,
            "--kubeconfig",
            own_cluster.kubeconfig,
            "--namespace",
            namespace,
            *words,
        ]
        home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=home, timeout=180
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_chart_is_installed_and_removed(own_cluster, helm, chart, namespace):
    helm("install", "greeting", chart, "--wait", "--timeout", "120s", "--set", "replicas=2")
    pods = own_cluster.api.core.list_namespaced_pod(namespace).items
    assert [pod.status.phase for pod in pods] == ["Running", "Running"]
    name = f"greeting.{namespace}.svc.cluster.local"
    script = (
        f"import urllib.request; print(urllib.request.urlopen('http://{name}/index.html').read())"
    )
    assert own_cluster.run("python3", "-c", script) == "b'yes\\n'\n"
    assert "deployed" in helm("list")
    helm("uninstall", "greeting", "--wait")
    assert not own_cluster.api.core.list_namespaced_service(namespace).items
