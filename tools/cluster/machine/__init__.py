"""Machine nodes: small Debian systems in QEMU, each a node with a kernel of its own.

`node.MachineNode` is the way in. From the outside to the inside:

- `system` builds Debian once; `disks` puts images, programs and settings beside it;
- `qemu` knows the emulator's command line, `boot` what happens before systemd starts;
- `guest` says what runs in the guest, and `agent` runs commands there.
"""
