"""From a container's spec to what shall run on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster.process import environment, volumes
from cluster.process.addresses import at_own_address
from cluster.process.environment import Facts, MissingError, expand
from cluster.process.local import Order, StartError
from cluster.process.records import Pod
from cluster.process.sandbox import Identity, Mount, Plan, real_target
from cluster.process.settings import Settings
from cluster.process.volumes import Volume

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LONGEST_HOSTNAME = 63


@dataclass(slots=True, frozen=True)
class Place:
    """A pod that is set up: what its containers are made from."""

    facts: Facts
    folder: Path
    volumes: Mapping[str, Volume]
    server: str
    """The API server, for programs that ask it from inside."""

    def message_file(self, container: str) -> Path:
        """Return where a container writes why it ended."""
        return self.folder / "messages" / container


def order(
    container: Mapping[str, Any], place: Place, settings: Settings, sources: environment.Sources
) -> Order:
    """Return what shall run.

    Raises:
        MissingError: when something that the spec refers to is not there.
        StartError: when the spec cannot be followed.
    """
    pod, address = place.facts.pod, place.facts.address
    own = environment.environment(container, place.facts, sources)
    seen = {**_service(place.server), **own}
    words = words_of(container, settings.images, seen)
    spec = container.get("securityContext", {})
    who = identity(pod.spec.get("securityContext", {}), spec, settings.user)
    variables = {
        "PATH": _PATH,
        "HOSTNAME": hostname(pod),
        "HOME": "/root" if who.user == 0 else "/",
        **seen,
    }
    shown = list(volumes.mounts(container, place.volumes, variables))
    shown += _files(container, place, settings, {mount.target for mount in shown})
    plan = Plan(
        words=[at_own_address(word, address) for word in words],
        identity=who,
        hostname=hostname(pod),
        mounts=shown,
        folder=container.get("workingDir") or "/",
        is_readonly=bool(spec.get("readOnlyRootFilesystem")),
        hidden=tuple(settings.hidden),
    )
    texts = {name: at_own_address(value, address) for name, value in variables.items()}
    return Order(plan, texts, settings.programs)


def _service(server: str) -> dict[str, str]:
    """Return where clients inside look for the API server: no Service's address leads to it."""
    place = urlsplit(server)
    port = str(place.port or 443)
    return {
        "KUBERNETES_SERVICE_HOST": place.hostname or "",
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_SERVICE_PORT_HTTPS": port,
    }


def words_of(
    container: Mapping[str, Any],
    images: Mapping[str, Sequence[str]],
    variables: Mapping[str, str],
) -> list[str]:
    """Return a container's command.

    Arguments alone are the command, as with an image that has no entry point.

    Raises:
        StartError: when neither the pod nor the setting ``images`` names one.
    """
    words = [*container.get("command", []), *container.get("args", [])]
    image = container.get("image", "")
    if not words:
        for pattern, command in images.items():
            if fnmatchcase(image, pattern):
                return list(command)
        raise StartError(
            "CreateContainerError",
            "NoCommand: a process node runs no images, so the container must name a command; "
            f"or the nodes' setting `images` one for {image}",
        )
    return [expand(word, variables) for word in words]


def identity(pod: Mapping[str, Any], container: Mapping[str, Any], default_user: int) -> Identity:
    """Return whom a container runs as.

    Args:
        pod: the pod's securityContext.
        container: the container's, which goes first.
        default_user: for those who say nothing, since there is no image to ask.

    Raises:
        MissingError: when it must not be root and is.
    """
    both = {**pod, **container}
    user = both.get("runAsUser", default_user)
    if both.get("runAsNonRoot") and user == 0:
        raise MissingError("container has runAsNonRoot and would run as root: name a runAsUser")
    groups = [*pod.get("supplementalGroups", []), *([pod["fsGroup"]] if "fsGroup" in pod else [])]
    may = container.get("capabilities", {})
    return Identity(
        user=user,
        group=both.get("runAsGroup", 0),
        groups=tuple(groups),
        add=tuple(may.get("add", [])),
        drop=tuple(may.get("drop", [])),
    )


def hostname(pod: Pod) -> str:
    """Return the name that a pod's programs see."""
    name = str(pod.spec.get("hostname") or pod.name)
    return name[:_LONGEST_HOSTNAME].rstrip("-.")


def _files(
    container: Mapping[str, Any], place: Place, settings: Settings, taken: set[str]
) -> Iterator[Mount]:
    """Yield the files that a kubelet gives to each container, unless the pod brings its own."""
    message = place.message_file(container["name"])
    message.parent.mkdir(parents=True, exist_ok=True)
    message.write_bytes(b"")
    message.chmod(0o666)
    yield Mount(str(message), container.get("terminationMessagePath") or "/dev/termination-log")
    pod = place.facts.pod
    resolver = resolver_text(pod, settings)
    texts = {"/etc/hosts": hosts_text(pod, place.facts.address, settings.domain)}
    if resolver is not None:
        texts["/etc/resolv.conf"] = resolver
    for name, text in texts.items():
        file = place.folder / "files" / Path(name).name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o644)
        if real_target(name) not in taken:
            yield Mount(str(file), real_target(name), is_readonly=True)


def hosts_text(pod: Pod, address: str, domain: str) -> str:
    """Return a pod's /etc/hosts."""
    own = hostname(pod)
    subdomain = pod.spec.get("subdomain")
    full = f"{own}.{subdomain}.{pod.namespace}.svc.{domain} " if subdomain else ""
    rows = ["127.0.0.1 localhost", "::1 localhost ip6-localhost", f"{address} {full}{own}"]
    for alias in pod.spec.get("hostAliases", []):
        rows.append(f"{alias['ip']} {' '.join(alias.get('hostnames', []))}")
    return "\n".join([*rows, ""])


def resolver_text(pod: Pod, settings: Settings) -> str | None:
    """Return a pod's /etc/resolv.conf, None for the machine's."""
    policy = pod.spec.get("dnsPolicy", "ClusterFirst")
    config = pod.spec.get("dnsConfig", {})
    if policy == "Default" or (policy != "None" and not settings.dns):
        return None
    servers, search, options = list(config.get("nameservers", [])), [], []
    if policy != "None":
        servers.insert(0, settings.dns)
        tail = f"svc.{settings.domain}"
        search, options = [f"{pod.namespace}.{tail}", tail, settings.domain], ["ndots:5"]
    search += config.get("searches", [])
    for row in config.get("options", []):
        options.append(f"{row['name']}:{row['value']}" if "value" in row else row["name"])
    rows = [f"nameserver {server}" for server in servers]
    rows += [f"search {' '.join(search)}"] if search else []
    rows += [f"options {' '.join(options)}"] if options else []
    return "\n".join([*rows, ""])
