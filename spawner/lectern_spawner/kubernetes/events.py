"""What Kubernetes reports of a pod, in words for the person who waits for it.

`said` turns the newest of what is known into one `Condition`. No word of Kubernetes
reaches a person; the original goes into the log, and what nobody has foreseen gets a
reference by which an admin finds it there.

Sources of the messages: the scheduler's, the kubelet's and containerd's own texts, as
captured in tests/data/kubernetes/events.yaml.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lectern_spawner.words import N_, Words

Record = dict[str, Any]
_PREPARING = "PrepareHome"
_EMPTY = re.compile(r"Failed: Error: |BackOff: Back-off pulling")
"""What only says that something failed; why is said elsewhere."""

_FINE = ("", "Completed", "ContainerCreating", "PodInitializing")


class Hope(Enum):
    """What becomes of a start by itself."""

    GOES_ON = "goes on"
    """Nothing is wrong."""

    WAITS = "waits"
    """It goes on when something gets free or comes back."""

    FAILS = "fails"
    """It never will: somebody must do something."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is going on with a server, and what it was called by Kubernetes."""

    code: str
    """Short label for metrics and tests."""

    hope: Hope
    sentence: str
    """English sentence with ``%(name)s`` slots."""

    original: str = ""
    """Kubernetes' own words, for the log."""

    values: dict[str, object] = field(default_factory=dict)

    def text(self, spoken: Words) -> str:
        """Return the sentence in a language."""
        return spoken.say(self.sentence, **self.values)


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence for what matches."""

    code: str
    hope: Hope
    pattern: re.Pattern[str]
    """Looked for in ``REASON: message``."""

    sentence: str


def _rule(code: str, hope: Hope, pattern: str, sentence: str) -> Rule:
    return Rule(code, hope, re.compile(pattern, re.IGNORECASE | re.DOTALL), sentence)


RULES = (
    # The API server refuses the pod.
    _rule("quota", Hope.WAITS, r"exceeded quota",
          N_("Your course uses all that it may use at the moment. "
             "Start again when somebody has stopped a server.")),
    _rule("limit-range", Hope.FAILS, r"(maximum|minimum) (cpu|memory) usage per",
          N_("This profile is larger than servers may be here. Please tell your instructor.")),
    _rule("policy", Hope.FAILS, r"violates PodSecurity|admission webhook .* denied",
          N_("A safety rule of this platform forbids this profile. "
             "Please tell the admin: %(reference)s.")),
    _rule("platform", Hope.FAILS, r"^APIUnreachable|^ServiceUnavailable|^TooManyRequests|^Timeout",
          N_("The platform does not answer at the moment. Start again in a minute; "
             "if this goes on, please tell the admin.")),
    _rule("slow", Hope.FAILS, r"^SlowStart",
          N_("Your server took too long. Start again; "
             "if this goes on, tell the admin %(reference)s.")),
    # No machine takes it.
    _rule("gpu-full", Hope.WAITS, r"Insufficient [\w.-]+/[\w.-]*(gpu|mig|npu|dcu|vcore|vmem)",
          N_("All seats with a GPU are taken. Your server starts when one gets free.")),
    _rule("memory-full", Hope.WAITS, r"Insufficient memory",
          N_("All machines are full. Your server starts when there is enough memory again.")),
    _rule("cpu-full", Hope.WAITS, r"Insufficient cpu",
          N_("All machines are busy. Your server starts when a processor gets free.")),
    _rule("disk-full", Hope.WAITS, r"Insufficient ephemeral-storage|disk-pressure",
          N_("The disks of the machines are full. Please tell the admin; "
             "your server starts as soon as there is room.")),
    _rule("too-many", Hope.WAITS, r"Too many pods",
          N_("The machines have as many servers as they can. "
             "Yours starts when another one ends.")),
    _rule("machines-closed", Hope.WAITS, r"node\(s\) were unschedulable",
          N_("The machines are being serviced. Your server starts when they are back.")),
    _rule("machines-off", Hope.WAITS,
          r"untolerated taint.*node\.kubernetes\.io/(not-ready|unreachable|network-unavailable)",
          N_("The machines for this profile are off or do not answer. "
             "Your server starts when they are back.")),
    _rule("storage-missing", Hope.FAILS, r"unbound immediate|persistentvolumeclaim .* not found",
          N_("The place of your files is not set up. Please tell the admin: %(reference)s.")),
    _rule("storage-elsewhere", Hope.FAILS, r"volume node affinity conflict",
          N_("Your files lie where no machine for this profile reaches them. "
             "Please tell the admin: %(reference)s.")),
    _rule("no-machine", Hope.WAITS, r"no nodes available to schedule",
          N_("No machine is switched on. Your server starts when one is.")),
    _rule("no-fit", Hope.FAILS, r"untolerated taint|node affinity/selector|didn't match",
          N_("No machine here fits this profile. Please tell the admin: %(reference)s.")),
    # The image.
    _rule("image-platform", Hope.FAILS, r"no match for platform|exec format error",
          N_("The software of this profile is made for other processors. "
             "Please tell your instructor.")),
    _rule("image-missing", Hope.FAILS,
          r"image.*(not found|manifest unknown|does not exist)|ErrImageNeverPull|manifest unknown",
          N_("The software of this profile is not in the store of this campus. "
             "Please tell your instructor.")),
    _rule("image-refused", Hope.FAILS, r"image.*(unauthorized|denied|forbidden|authentication)",
          N_("The store of software does not let this platform in. "
             "Please tell the admin: %(reference)s.")),
    _rule("image-name", Hope.FAILS, r"InvalidImageName|invalid reference format",
          N_("The name of this profile's software is wrong. Please tell your instructor.")),
    _rule("image-room", Hope.FAILS, r"image.*no space left",
          N_("The disk of the machine has no room for this profile's software. "
             "Please tell the admin: %(reference)s.")),
    _rule("image-busy", Hope.WAITS, r"toomanyrequests|429 Too Many|RegistryUnavailable",
          N_("The store of software is busy. It is tried again.")),
    _rule("image-unreachable", Hope.WAITS,
          r"image.*(no such host|connection refused|i/o timeout|x509|no route to host|EOF|dial tcp)",
          N_("The store of software does not answer. It is tried again; "
             "if this goes on, please tell the admin.")),
    _rule("image-pulling", Hope.GOES_ON, r"^Pulling:",
          N_("This machine gets the software of this profile for the first time. "
             "That takes some minutes, and is quick from then on.")),
    # Files.
    _rule("home-full", Hope.FAILS, r"disk quota exceeded|no space left on device",
          N_("Your home is full. Delete something with the rescue start.")),
    _rule("home-read-only", Hope.FAILS, r"read-only file system",
          N_("Your home cannot be written to at the moment. Please tell the admin.")),
    _rule("home-stale", Hope.FAILS, r"stale (NFS )?file handle",
          N_("The server with your files was changed meanwhile. Stop and start again; "
             "if that does not help, please tell the admin.")),
    _rule("home-refused", Hope.FAILS, r"access denied by server|permission denied",
          N_("The server with your files does not let this machine in. "
             "Please tell the admin: %(reference)s.")),
    _rule("home-export", Hope.FAILS, r"mount.*No such file or directory|does not exist.*subPath",
          N_("The place of your files is gone. Please tell the admin: %(reference)s.")),
    _rule("home-silent", Hope.WAITS,
          r"^Failed(Mount|AttachVolume).*(timed out|timeout|refused|no route|deadline|unreachable)",
          N_("The server with your files does not answer. It is tried again; "
             "if this goes on, please tell the admin.")),
    _rule("home-busy", Hope.WAITS, r"Multi-Attach",
          N_("Your files are still in use by a server that is ending. Please wait.")),
    _rule("setting-missing", Hope.FAILS, r"(configmap|secret|references non-existent).*not found",
          N_("Something that this profile needs is not set up. "
             "Please tell the admin: %(reference)s.")),
    _rule("home", Hope.FAILS, r"^FailedMount|^FailedAttachVolume|^FailedMapVolume",
          N_("Your files cannot be reached. Please tell the admin: %(reference)s.")),
    _rule("home-unprepared", Hope.FAILS, r"^PrepareHome",
          N_("Your home could not be prepared. Please tell the admin: %(reference)s.")),
    # It ran.
    _rule("out-of-memory", Hope.FAILS, r"OOMKilled|OOMKilling",
          N_("Your server needed more memory than this profile has. "
             "Use less at a time, or a larger profile.")),
    _rule("tmp-full", Hope.FAILS, r"Evicted.*(EmptyDir|local ephemeral storage|ephemeral local storage)",
          N_("Your server was stopped because it had put too much into /tmp. "
             "Your home is as it was. Start again.")),
    _rule("evicted-disk", Hope.FAILS, r"Evicted.*(ephemeral-storage|inodes|disk)",
          N_("Your server was stopped because the disk of its machine was full. "
             "Your home is as it was. Start again.")),
    _rule("evicted", Hope.FAILS, r"Evicted",
          N_("Your server was stopped because its machine had no memory left. "
             "Your home is as it was. Start again.")),
    _rule("preempted", Hope.FAILS, r"Preempt",
          N_("Your server had to give way to a lesson. Your home is as it was.")),
    _rule("machine-lost", Hope.FAILS, r"NodeLost|node lost|TaintManagerEviction|DeletionByTaintManager",
          N_("The machine of your server does not answer any more. "
             "Your home is as it was. Start again.")),
    _rule("machine-off", Hope.FAILS, r"NodeShutdown|node shutdown|^Terminated:|Shutdown",
          N_("The machine of your server was switched off. Your home is as it was. Start again.")),
    _rule("machine-changed", Hope.FAILS,
          r"OutOf\w+:|UnexpectedAdmissionError|NodeAffinity:|TopologyAffinityError",
          N_("The machine had no room after all. Start again.")),
    _rule("deadline", Hope.FAILS, r"DeadlineExceeded: Pod was active",
          N_("Your server has run as long as it may.")),
    _rule("no-server", Hope.FAILS, r"executable file not found|no such file or directory: unknown",
          N_("The software of this profile cannot run here: it has no JupyterHub in it. "
             "Please tell your instructor.")),
    _rule("root-only", Hope.FAILS, r"runAsNonRoot|non-root",
          N_("The software of this profile wants to run as an administrator, "
             "which nobody may here. Please tell your instructor.")),
    _rule("no-address", Hope.WAITS, r"FailedCreatePodSandBox|no IP addresses available",
          N_("The network of the machine is not ready. It is tried again; "
             "if this goes on, please tell the admin.")),
    _rule("restarts", Hope.FAILS, r"CrashLoopBackOff|BackOff: Back-off restarting|^Error:",
          N_("The server of this profile ends again and again. Please tell your instructor.")),
    # Nothing is wrong.
    _rule("placed", Hope.GOES_ON, r"^Scheduled:", N_("Your server has a machine.")),
    _rule("image-there", Hope.GOES_ON, r"^Pulled:", N_("The software is there.")),
    _rule("starting", Hope.GOES_ON, r"^(Created|Started):", N_("Your server is starting.")),
    _rule("ending", Hope.GOES_ON, r"^Killing:", N_("An earlier server is ending.")),
)  # fmt: skip


def of(original: str) -> Condition:
    """Return the condition for something that Kubernetes says.

    Args:
        original: ``REASON: message``.
    """
    reference = hashlib.sha256(original.encode()).hexdigest()[:6].upper()
    values: dict[str, object] = {"reference": reference}
    for rule in RULES:
        if rule.pattern.search(original):
            return Condition(rule.code, rule.hope, rule.sentence, original, values)
    return Condition("unknown", Hope.WAITS, _UNKNOWN, original, values)


_UNKNOWN = N_("Your server takes longer than usual. If this goes on, tell the admin %(reference)s.")


def said(pod: Record | None, events: Sequence[Record]) -> Condition | None:
    """Return the newest condition of a pod; None where nothing has been said yet.

    Args:
        pod: as the watch has it.
        events: about it, the oldest first.
    """
    found = [of(text) for text in _texts(pod, events)]
    failed = [item for item in found if item.hope is Hope.FAILS]
    newest = failed or found
    return newest[-1] if newest else None


def _texts(pod: Record | None, events: Sequence[Record]) -> Iterator[str]:
    """Yield what is said, the most telling last: what the pod is now beats what was reported."""
    for event in events:
        if not _EMPTY.match(text := f"{event['reason']}: {event['message']}"):
            yield text
    if not pod:
        return
    status = pod["status"]
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition.get("message"):
            yield f"{condition.get('reason')}: {condition['message']}"
    for container in status.get("initContainerStatuses", ()):
        yield from _states(container, _PREPARING)
    for container in status.get("containerStatuses", ()):
        yield from _states(container)
    if status.get("reason"):
        yield f"{status['reason']}: {status.get('message', '')}"


def _states(container: Record, error: str = "Error") -> Iterator[str]:
    """Yield what is wrong with a container; ``error`` is the word for an exit code."""
    now, before = container.get("state") or {}, container.get("lastState") or {}
    # "Again and again" says less than what happened each time.
    is_repeated = (now.get("waiting") or {}).get("reason") == "CrashLoopBackOff"
    for state in (now, before) if is_repeated else (before, now):
        for name in ("terminated", "waiting"):
            about = state.get(name)
            if about and about.get("reason", "") not in _FINE:
                reason = error if about["reason"] == "Error" else about["reason"]
                yield f"{reason}: {about.get('message', '')}"
