"""Tell people in their notebook why a kernel died of memory.

JupyterLab only says that the kernel restarts. This connection adds a sentence
with the limit to the output of the cell that ran. The sentence comes from the
spawner, in the person's language, in ``LECTERN_OUT_OF_MEMORY``.
"""

from __future__ import annotations

import json
import os
from typing import Any

from jupyter_client.jsonutil import json_default
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from lectern_lab import memory

SENTENCE = "LECTERN_OUT_OF_MEMORY"
_V1 = "v1.kernel.websocket.jupyter.org"
_DEFAULT = "This kernel was stopped because it wanted more memory than this server has."


class ExplainingConnection(ZMQChannelsWebsocketConnection):
    """A kernel's websocket that explains deaths by memory."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        """Remember how many deaths there were before."""
        super().__init__(*args, **kwargs)
        self._file = memory.find()
        self._kills = memory.kills(self._file)
        self._running: dict[str, Any] = {}

    def handle_outgoing_message(self, stream: str, outgoing_msg: list[Any]) -> None:
        """Pass a message on, noting which cell runs, and add the sentence to memory errors."""
        super().handle_outgoing_message(stream, outgoing_msg)
        if getattr(stream, "channel", stream) != "iopub":  # typed as text, but a socket
            return
        _, frames = self.session.feed_identities(outgoing_msg)
        _, header, parent, _, content, *_ = (f if isinstance(f, bytes) else f.bytes for f in frames)
        if b'"execute_input"' in header:
            self._running = json.loads(parent)
        elif b'"error"' in header and json.loads(content).get("ename", "").endswith("MemoryError"):
            self._explain()

    def on_kernel_restarted(self) -> None:
        """Explain a restart that follows a death by memory."""
        self._explain_death()
        super().on_kernel_restarted()

    def on_restart_failed(self) -> None:
        """Explain, too, where the kernel does not come back."""
        self._explain_death()
        super().on_restart_failed()

    def _explain_death(self) -> None:
        kills = memory.kills(self._file)
        if kills > self._kills:
            self._kills = kills
            self._explain()

    def _explain(self) -> None:
        """Put the sentence into the output of the cell that ran."""
        text = os.environ.get(SENTENCE, _DEFAULT)
        message = self.session.msg(
            "stream", {"name": "stderr", "text": f"{text}\n"}, parent={"header": self._running}
        )
        if self.subprotocol == _V1:
            self.write_message(
                serialize_msg_to_ws_v1(message, "iopub", self.session.pack), binary=True
            )
        else:
            message["channel"] = "iopub"
            self.write_message(json.dumps(message, default=json_default))
