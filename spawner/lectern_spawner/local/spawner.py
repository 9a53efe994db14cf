"""CourseLocalSpawner: course profiles become processes of this machine.

A thin subclass of JupyterHub's LocalProcessSpawner: plans come from
`CourseSpawnerMixin`, processes from `process`, identities from `accounts`,
limits from `cgroups`.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import Popen
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Float, Instance, Unicode, default

from lectern_spawner.accounts import AccountError
from lectern_spawner.catalog import Profile
from lectern_spawner.local import homes, machine, ports, process
from lectern_spawner.local.cgroups import Slice
from lectern_spawner.local.machine import Machine
from lectern_spawner.local.process import Launch, ProcessId
from lectern_spawner.plan import ServerPlan
from lectern_spawner.spawning import CannotStartError, CourseSpawnerMixin
from lectern_spawner.words import N_, Words

# -P: a file in the home, such as random.py, must not be taken for a library's module.
_SERVER_COMMAND = [sys.executable, "-P", "-m", "jupyterhub.singleuser"]
_PORT_TRIES = 3


class CourseLocalSpawner(CourseSpawnerMixin, LocalProcessSpawner):
    """Start servers of course profiles as local processes.

    As root every person gets an unprivileged uid of their own; as an ordinary
    user all servers run under that user, without isolation.
    """

    state_dir = Unicode(help="Folder with homes, logs and the table of uids.").tag(config=True)
    stop_seconds = Float(
        10.0, help="How long a server may take to shut its kernels down before it is killed."
    ).tag(config=True)
    machine = Instance(Machine, help="What this machine can do; found out once per hub.")
    process = Instance(ProcessId, allow_none=True, help="The server's leader.")
    slice = Instance(Slice, allow_none=True, help="The server's cgroup.")
    proc = Instance(Popen, allow_none=True)

    @default("machine")
    def _machine(self) -> Machine:
        return machine.of(Path(self.state_dir))

    @default("cmd")
    def _cmd(self) -> list[str]:
        return _SERVER_COMMAND

    @default("default_url")
    def _default_url(self) -> str:
        return "/lab"

    @default("ip")
    def _ip(self) -> str:
        return "127.0.0.1"

    @default("env_keep")
    def _env_keep(self) -> list[str]:
        return ["LANG", "LC_ALL", "TZ"]

    def profile_notes(self, profile: Profile, spoken: Words) -> list[str]:
        """Return what this machine cannot keep of a profile."""
        return self.machine.notes(profile, spoken)

    def notice(self, spoken: Words) -> str:
        """Return what everybody must know about this machine."""
        if self.machine.isolated:
            return ""
        return spoken.say(
            N_(
                "There is no isolation here: everybody's servers run under one account, "
                "and people can read each other's files."
            )
        )

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Add who and where the person is, and only programs of the environment and the system."""
        home = self.machine.homes / self.user.name
        env.update(self.machine.server_env())
        env[process.MARK] = self._mark()
        env.update({"USER": self.user.name, "LOGNAME": self.user.name, "HOME": str(home)})
        if self.plan:
            env.update(self.plan.env)
            # The notebook extension shows it when a kernel dies of memory.
            env["LECTERN_OUT_OF_MEMORY"] = self._memory_sentence(self.plan)
        return env

    def _memory_sentence(self, plan: ServerPlan) -> str:
        return self.spoken().say(
            N_("Stopped: this needed more memory than %(profile)s has, which is %(limit)s."),
            profile=plan.name,
            limit=self.spoken().size(plan.memory_limit_bytes),
        )

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the server of an earlier hub; a recycled pid is not one."""
        super().load_state(state)
        if "started" in state and state.get("pid"):
            self.process = ProcessId(state["pid"], state["started"])
            self.admitted = True
        if self.machine.hierarchy and state.get("slice"):
            self.slice = self.machine.hierarchy.slice(state["slice"])

    def get_state(self) -> dict[str, Any]:
        """Return what a later hub needs to find this server."""
        state: dict[str, Any] = super().get_state()
        if self.process:
            state |= {"pid": self.process.pid, "started": self.process.started}
        if self.slice:
            state["slice"] = self._server_id()
        return state

    def clear_state(self) -> None:
        """Forget the process; the person's account stays."""
        super().clear_state()
        self.process = self.slice = self.proc = None
        self.admitted = False

    async def start(self) -> tuple[str, int]:
        """Start the server and return its address as soon as it answers.

        Raises:
            SpawnException: with a sentence, when it cannot start or ends early.
        """
        if self.plan is None:  # decided just before, see `_run_apply_user_options`
            raise RuntimeError("a server can only start with a plan")
        for _ in range(_PORT_TRIES):
            await self._run(self.plan)
            if await self._came_up(self.plan):
                return self.ip, self.port
            # Somebody else was quicker on that port; nothing may go there.
            await self.stop(now=True)
        raise CannotStartError(
            self.spoken().say(N_("Your server found no free port. Start again.")), reason="port"
        )

    async def _run(self, plan: ServerPlan) -> None:
        """Choose a port, start the process and record it.

        Raises:
            CannotStartError: with a sentence, when the machine or the home is in the way.
        """
        try:
            self.port = ports.free_port(self.ip)
            self.proc = process.start(self._launch(plan))
        except (OSError, sqlite3.Error, ports.NoPortError) as error:  # such as a full disk
            self.log.error("cannot start %s: %s", self._log_name, error)
            sentence = self.spoken().say(
                N_("This machine cannot start your server. Please tell the admin: %(why)s."),
                why=getattr(error, "strerror", None) or error,
            )
            raise CannotStartError(sentence, reason="machine") from error
        self.pid = self.proc.pid
        self.process = ProcessId.of(self.pid)
        # Known to the next hub from here on, should this one be killed.
        self.orm_spawner.state = self.get_state()
        self.commit()

    def _launch(self, plan: ServerPlan) -> Launch:
        """Prepare account, home, limits and environment of one start."""
        try:
            account = self.machine.account(plan.person)
            home = homes.prepare(self.machine.homes, plan.person, account, plan.data)
            identity = self.machine.identity(account, home) if account else None
        except (AccountError, homes.HomeError) as error:
            self.log.error("cannot start %s: %s", self._log_name, error)
            sentence = self.spoken().say(
                N_("Your home cannot be used. Please tell the admin: %(why)s."), why=error
            )
            raise CannotStartError(sentence, reason="home") from error
        if self.machine.hierarchy:
            self.slice = self.machine.hierarchy.make(
                self._server_id(), plan.cpu_limit, plan.memory_limit_bytes
            )
        tmp = self.machine.tmp(account)
        return Launch(
            command=[*self.cmd, *self.get_args()],
            env=self.get_env() | ({"TMPDIR": str(tmp)} if tmp else {}),
            home=home,
            log=self._log_file(),
            identity=identity,
            slice=self.slice,
            rlimits=self.machine.rlimits(plan),
        )

    async def _came_up(self, plan: ServerPlan) -> bool:
        """Wait until the server answers or has ended, whichever is first.

        Returns:
            Whether it is up; False when its port is somebody else's.

        Raises:
            CannotStartError: when it has ended, for another reason.
        """
        if self.process is None or await self._ended_first(self.process):
            if ports.listeners(self.ip, self.port):
                return False
            raise CannotStartError(
                self._obituary(plan),
                reason="exited",
                log_tail=process.last_lines(self._log_file()),
            )
        return bool(self.machine.owns_port(self.ip, self.port, plan.person))

    async def _ended_first(self, leader: ProcessId) -> bool:
        """Wait for the server's first answer or its end; return whether it was the end."""
        path = f"{self.server.base_url}api"
        up = asyncio.ensure_future(process.answers(self.ip, self.port, path))
        gone = asyncio.ensure_future(process.ended(leader))
        try:
            done, _ = await asyncio.wait({up, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
            gone.cancel()
        return gone in done

    def _obituary(self, plan: ServerPlan) -> str:
        """Say why a server ended, as well as the machine knows."""
        if self.slice and self.slice.out_of_memory_kills():
            return self._memory_sentence(plan)
        return self.spoken().say(N_("Your server ended before it was ready. Its last lines:"))

    async def poll(self) -> int | None:
        """Return None while the server runs, else its exit code as far as known."""
        status: int | None
        if self.proc is not None:
            status = self.proc.poll()
        else:
            status = None if self.process and self.process.alive else 0
        if status is not None and self.process is not None:
            # JupyterHub does not call `stop` for a server that is gone by itself.
            await process.sweep(self._mark(), self.slice)
        return status

    async def stop(self, now: bool = False) -> None:
        """End the server and everything that it started."""
        if self.process is None:
            return
        patience = 0.1 if now else self.stop_seconds
        reaped = self.proc
        gone = await process.end(self.process, self._mark(), self.slice, patience_seconds=patience)
        if not gone:
            self.log.error("some processes of %s do not end", self._log_name)
        if reaped is not None:
            reaped.poll()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what happens, in the person's language."""
        spoken = self.spoken()
        yield {"progress": 20, "message": spoken.say(N_("Preparing your home"))}
        yield {"progress": 50, "message": spoken.say(N_("Starting JupyterLab"))}

    def _log_file(self) -> Path:
        return Path(self.machine.logs, self.user.name, f"{self.name or 'default'}.log")

    def _mark(self) -> str:
        """Return what the server's processes carry; another hub here may have its namesake."""
        return f"{self.machine.label}/{self._server_id()}"

    def _server_id(self) -> str:
        """Return a name for the cgroup: any user name must fit in a file name."""
        whole = f"{self.user.name}/{self.name}".encode()
        return f"{self.user.id}-{self.name or 'default'}-{hashlib.sha256(whole).hexdigest()[:8]}"
