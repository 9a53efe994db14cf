"""Write kubeconfigs: with the files' places for programs, with their content for people."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from cluster.pki import Pair


def write(path: Path, server: str, authority: Path, who: Pair, *, whole: bool = False) -> None:
    """Write a kubeconfig, readable by root alone.

    Args:
        path: file to write; JSON, which is YAML too.
        server: address of the API server.
        authority: its certificate authority.
        who: certificate and key of the one who reads it.
        whole: put the files' content in, so that it may be copied elsewhere.
    """
    cluster = {"server": server, **_file("certificate-authority", authority, whole)}
    user = {
        **_file("client-certificate", who.certificate, whole),
        **_file("client-key", who.key, whole),
    }
    name = "lectern"
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)


def _file(key: str, path: Path, whole: bool) -> dict[str, str]:
    if whole:
        return {f"{key}-data": base64.b64encode(path.read_bytes()).decode()}
    return {key: str(path)}
