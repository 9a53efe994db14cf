"""A real Kubernetes on one machine, for tests and for people who want to try Lectern.

`Cluster` in `cluster.cluster` is the way in. Below it, from the outside to the inside:

- `keeper` owns the namespaces and is the only one who cleans up;
- `inside` is the first process in them and looks after all programs;
- `controlplane`, `hostnode`, `machine`, `process` know the programs' command lines;
- `network`, `layout`, `pki` say where things are and who is who.

The life of everything hangs on one process: when `inside` ends, the kernel ends
all that runs, and takes mounts, links and firewall rules away with the namespaces.
"""
