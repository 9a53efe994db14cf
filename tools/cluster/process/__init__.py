"""Process nodes: stand-in kubelets of ours, hundreds of them in one process.

Each registers a Node with the API server, reports capacity, keeps its lease and looks
after the pods that are bound to it. In mode ``run`` each container is a local process in
a private view of this machine; in mode ``pretend`` nothing runs, and every pod becomes
Ready after a while. `cluster.processnodes.ProcessNodes` starts and steers them.

Honoured in mode ``run``:

- command, args, workingDir, env (``$(VAR)``, valueFrom of fields, resources, ConfigMaps and
  Secrets), envFrom, terminationMessagePath and -Policy
- init containers, several containers, restartPolicy with CrashLoopBackOff,
  activeDeadlineSeconds, terminationGracePeriodSeconds, postStart and preStop
- startup, readiness and liveness probes (exec, httpGet, tcpSocket), readinessGates
- volumes: emptyDir, configMap, secret, downwardAPI, projected (tokens too), hostPath,
  claims bound to a hostPath or local volume; readOnly, subPath, subPathExpr, fsGroup.
  They are written when the pod starts; later changes of a ConfigMap are not followed.
- runAsUser, runAsGroup, runAsNonRoot, supplementalGroups, capabilities (of root),
  readOnlyRootFilesystem, hostname, subdomain, hostAliases, dnsPolicy, dnsConfig
- limits of memory (OOMKilled) and CPU where the machine has groups for them
- logs and exec, with a terminal too, over WebSockets

Refused with an event and status Failed, reason ``UnsupportedByProcessNode``, by `refusals`:
host namespaces, host ports, privileged containers, sidecars, rules for restarts of one
container, gRPC probes, block devices, resource claims, sysctls, runtime classes, user
namespaces (hostUsers: false), shared process namespaces, Windows, mounts that propagate, and
all other kinds of volumes: NFS, CSI, images, cloud disks. Ephemeral containers get an event
only, since the pod runs already. Pods that name no command: ``CreateContainerError``.
attach and port-forward answer with a sentence. Fields of the API that are newer than this
list are ignored.

Ignored, since nothing here depends on it: image (see setting ``images``),
imagePullPolicy, imagePullSecrets, seccomp, AppArmor and SELinux profiles, stdin and tty of
containers, allowPrivilegeEscalation (no process ever gains privileges), enableServiceLinks,
requests (the scheduler counts them), priority, preemption, limits of disks.

Differences that no setting removes:

- All pods share one network, each at an address of its own in 127.64.0.0/10. A server
  that listens on every address would take its port from all pods, so the words ``0.0.0.0``
  and ``[::]`` in commands and variables become the pod's address.
- Kubernetes takes no loopback address into an EndpointSlice, so Services do not
  lead to these pods, and ``pods/proxy`` refuses them. Their address works.
- Without an image there is no user of an image: containers that name none run as
  the setting ``user`` (1000), and root's files of the machine stay closed to them. In all but
  name the programs are those of this machine, seen read-only.
- A command that is not found ends with exit code 127 and a line in the log.
- When this process ends, its containers end. When it comes back, containers
  that had been running end with ``ContainerStatusUnknown`` and code 137, and the restart
  policy decides; in mode ``pretend`` they go on.
"""
