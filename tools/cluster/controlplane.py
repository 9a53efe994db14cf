"""The control plane: certificates, configuration and command lines of its four programs.

Everything that listens does so with TLS and asks for certificates. The settings
that differ from a production cluster's are those that make a small one quick:
etcd does not wait for the disk, and a lost node is noticed within 12 seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import kubeconfig, network, pki
from cluster.layout import Layout
from cluster.programs import Programs
from cluster.supervision import Program

ISSUER = "https://kubernetes.default.svc.cluster.local"
ADMIN = "lectern:admin"
KUBELET_CLIENT = "lectern:kube-apiserver"
PROCESS_NODES = "lectern:process-nodes"
COREDNS = "lectern:coredns"
KUBE_ROUTER = "lectern:kube-router"
SERVER = f"https://{network.MACHINE}:{network.API_PORT}"

_API_HOSTS = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    f"kubernetes.default.svc.{network.DNS_DOMAIN}",
    "localhost",
    "127.0.0.1",
    network.MACHINE,
    network.KUBERNETES_SERVICE,
)
_PEOPLE = {
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
    "kube-proxy": "system:kube-proxy",
    "coredns": COREDNS,
    "kube-router": KUBE_ROUTER,
    "process-nodes": PROCESS_NODES,
}
"""Kubeconfigs by their name, and whom they speak for; what each may do is RBAC's alone."""

_LOSS_SECONDS = 12
_GONE_SECONDS = 2
"""How long pods stay bound to a node that is known to be lost."""


@dataclass(frozen=True)
class Authorities:
    """The three that Kubernetes wants kept apart."""

    cluster: pki.Authority
    etcd: pki.Authority
    front: pki.Authority
    """Signs for the API server towards extension API servers."""

    @classmethod
    def make(cls, layout: Layout) -> Authorities:
        """Make all three."""
        names = ("ca", "etcd-ca", "front-ca")
        return cls(*(pki.Authority.make(layout.certificates, name) for name in names))


def make_certificates(layout: Layout) -> Authorities:
    """Make every certificate of the control plane, and the kubeconfigs inside."""
    authorities = Authorities.make(layout)
    ca, etcd = authorities.cluster, authorities.etcd
    etcd.issue("etcd", "etcd", hosts=("localhost", "127.0.0.1"))
    etcd.issue("etcd-client", "kube-apiserver")
    ca.issue("kube-apiserver", "kube-apiserver", hosts=_API_HOSTS, client=False)
    ca.issue("kubelet-client", KUBELET_CLIENT)
    ca.issue("admin", ADMIN, ("system:masters",))
    authorities.front.issue("front-client", "front-proxy-client")
    pki.make_key_pair(layout.certificates, "service-accounts")
    for file, name in _PEOPLE.items():
        hosts = (
            ("localhost", "127.0.0.1")
            if file in ("kube-controller-manager", "kube-scheduler")
            else ()
        )
        who = ca.issue(file, name, hosts=hosts)
        kubeconfig.write(layout.kubeconfig_of(file), SERVER, ca.pair.certificate, who)
    admin = pki.Pair.at(layout.certificates, "admin")
    kubeconfig.write(layout.kubeconfig_of("admin"), SERVER, ca.pair.certificate, admin)
    return authorities


def write_outer_kubeconfig(layout: Layout, port: int) -> None:
    """Write the administrator's kubeconfig for use outside, through the relay."""
    admin = pki.Pair.at(layout.certificates, "admin")
    authority = pki.Pair.at(layout.certificates, "ca").certificate
    kubeconfig.write(layout.kubeconfig, f"https://127.0.0.1:{port}", authority, admin, whole=True)


def etcd(layout: Layout, programs: Programs) -> Program:
    """Return the database."""
    pair = pki.Pair.at(layout.certificates, "etcd")
    authority = str(pki.Pair.at(layout.certificates, "etcd-ca").certificate)
    options = {
        "name": "lectern",
        "data-dir": str(layout.data / "etcd"),
        "listen-client-urls": "https://127.0.0.1:2379",
        "advertise-client-urls": "https://127.0.0.1:2379",
        "listen-peer-urls": "https://127.0.0.1:2380",
        "initial-advertise-peer-urls": "https://127.0.0.1:2380",
        "initial-cluster": "lectern=https://127.0.0.1:2380",
        "cert-file": str(pair.certificate),
        "key-file": str(pair.key),
        "client-cert-auth": "true",
        "trusted-ca-file": authority,
        "peer-cert-file": str(pair.certificate),
        "peer-key-file": str(pair.key),
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": authority,
        # The database dies with the cluster, so it need not survive a power cut.
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }
    return _program("etcd", programs, options)


def api_server(layout: Layout, programs: Programs) -> Program:
    """Return the API server."""
    return _program("kube-apiserver", programs, _api_options(layout) | _api_rules(layout))


def _api_options(layout: Layout) -> dict[str, str]:
    """Return where it listens, and with which certificates."""
    folder = layout.certificates
    names = ("kube-apiserver", "kubelet-client", "etcd-client", "front-client")
    serving, kubelet, database, front = (pki.Pair.at(folder, name) for name in names)
    ca, etcd_ca, front_ca = (str(folder / f"{name}.crt") for name in ("ca", "etcd-ca", "front-ca"))
    return {
        "bind-address": network.MACHINE,
        "advertise-address": network.MACHINE,
        "secure-port": str(network.API_PORT),
        "service-cluster-ip-range": network.SERVICES,
        "etcd-servers": "https://127.0.0.1:2379",
        "etcd-cafile": etcd_ca,
        "etcd-certfile": str(database.certificate),
        "etcd-keyfile": str(database.key),
        "tls-cert-file": str(serving.certificate),
        "tls-private-key-file": str(serving.key),
        "client-ca-file": ca,
        "kubelet-certificate-authority": ca,
        "kubelet-client-certificate": str(kubelet.certificate),
        "kubelet-client-key": str(kubelet.key),
        "kubelet-preferred-address-types": "InternalIP",
        "requestheader-client-ca-file": front_ca,
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": str(front.certificate),
        "proxy-client-key-file": str(front.key),
        "service-account-issuer": ISSUER,
        "service-account-signing-key-file": str(folder / "service-accounts.key"),
        "service-account-key-file": str(folder / "service-accounts.pub"),
    }


def _api_rules(layout: Layout) -> dict[str, str]:
    """Return who may do what, and what is written down about it."""
    return {
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",  # Pod Security is on by itself
        "allow-privileged": "true",
        "audit-policy-file": str(_write_audit_policy(layout)),
        "audit-log-path": str(layout.logs / "audit.log"),
        "audit-log-maxsize": "100",
        "audit-log-maxbackup": "1",
        "default-not-ready-toleration-seconds": str(_GONE_SECONDS),
        "default-unreachable-toleration-seconds": str(_GONE_SECONDS),
        "profiling": "false",
        # A cluster of one machine has no other API server to hand connections to.
        "shutdown-delay-duration": "0s",
    }


def _write_audit_policy(layout: Layout) -> Path:
    """Write down who changed what; reading, leases and events would only fill the disk."""
    quiet = [{"group": "coordination.k8s.io"}, {"group": "", "resources": ["events"]}]
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "resources": quiet},
            {"level": "Metadata", "verbs": ["create", "update", "patch", "delete"]},
            # Whoever reads a secret is written down too.
            {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]},
            {"level": "None"},
        ],
    }
    return write_json(layout.settings / "audit.json", policy)


def controller_manager(layout: Layout, programs: Programs) -> Program:
    """Return the program that runs the controllers."""
    name, folder = "kube-controller-manager", layout.certificates
    serving, authority = pki.Pair.at(folder, name), pki.Pair.at(folder, "ca")
    config = str(layout.kubeconfig_of(name))
    options = {
        "kubeconfig": config,
        "authentication-kubeconfig": config,
        "authorization-kubeconfig": config,
        "bind-address": "127.0.0.1",
        "tls-cert-file": str(serving.certificate),
        "tls-private-key-file": str(serving.key),
        "use-service-account-credentials": "true",
        "root-ca-file": str(authority.certificate),
        "service-account-private-key-file": str(folder / "service-accounts.key"),
        "cluster-signing-cert-file": str(authority.certificate),
        "cluster-signing-key-file": str(authority.key),
        "leader-elect": "false",
        "node-monitor-period": "1s",
        "node-monitor-grace-period": f"{_LOSS_SECONDS}s",
        "kube-api-qps": "200",
        "kube-api-burst": "400",
        "profiling": "false",
    }
    return _program(name, programs, options)


def scheduler(layout: Layout, programs: Programs) -> Program:
    """Return the scheduler."""
    name = "kube-scheduler"
    serving, config = pki.Pair.at(layout.certificates, name), str(layout.kubeconfig_of(name))
    settings = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": config, "qps": 500, "burst": 1000},
        "leaderElection": {"leaderElect": False},
        "enableProfiling": False,
    }
    options = {
        "config": str(write_json(layout.settings / "scheduler.json", settings)),
        "authentication-kubeconfig": config,
        "authorization-kubeconfig": config,
        "bind-address": "127.0.0.1",
        "tls-cert-file": str(serving.certificate),
        "tls-private-key-file": str(serving.key),
    }
    return _program(name, programs, options)


def write_json(path: Path, content: dict[str, Any]) -> Path:
    """Write a configuration file; JSON is YAML too."""
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path


def _program(name: str, programs: Programs, options: dict[str, str]) -> Program:
    words = [f"--{key}={value}" for key, value in options.items()]
    # Half the usual garbage before it is collected: four daemons share a small machine.
    return Program(name, [*programs.command(name), *words], {"GOGC": "50"})
