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
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
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
        self._asked: dict[str, dict[str, Any]] = {}
        """Headers of the cells that were sent and are not done, oldest first."""

    def handle_incoming_message(self, incoming_msg: Any) -> None:  # noqa: ANN401 - text or bytes
        """Pass a message on, noting which cells wait for the kernel.

        A kernel that dies at once never says which cell it ran.
        """
        header = self._header_of(incoming_msg)
        if header.get("msg_type") == "execute_request":
            self._asked[header["msg_id"]] = header
        super().handle_incoming_message(incoming_msg)

    def _header_of(self, message: Any) -> dict[str, Any]:  # noqa: ANN401 - text or bytes
        """Return the header of a message from the browser."""
        if self.subprotocol == _V1:
            _, parts = deserialize_msg_from_ws_v1(message)
            header = json.loads(bytes(parts[0]))
        elif isinstance(message, bytes):  # with binary buffers, which no cell has
            header = {}
        else:
            header = json.loads(message).get("header")
        return header if isinstance(header, dict) else {}

    def handle_outgoing_message(self, stream: str, outgoing_msg: list[Any]) -> None:
        """Pass a message on, noting which cells are done, and explain memory errors."""
        super().handle_outgoing_message(stream, outgoing_msg)
        if getattr(stream, "channel", stream) != "iopub":  # typed as text, but a socket
            return
        _, frames = self.session.feed_identities(outgoing_msg)
        _, header, parent, _, content, *_ = (f if isinstance(f, bytes) else f.bytes for f in frames)
        if b'"status"' in header and json.loads(content).get("execution_state") == "idle":
            self._asked.pop(json.loads(parent).get("msg_id", ""), None)
        elif b'"error"' in header and json.loads(content).get("ename", "").endswith("MemoryError"):
            self._explain(json.loads(parent))

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
            self._explain(next(iter(self._asked.values()), {}))
        self._asked.clear()

    def _explain(self, cell: dict[str, Any]) -> None:
        """Put the sentence into the output of a cell, given its message's header."""
        text = os.environ.get(SENTENCE, _DEFAULT)
        message = self.session.msg(
            "stream", {"name": "stderr", "text": f"{text}\n"}, parent={"header": cell}
        )
        if self.subprotocol == _V1:
            self.write_message(
                serialize_msg_to_ws_v1(message, "iopub", self.session.pack), binary=True
            )
        else:
            message["channel"] = "iopub"
            self.write_message(json.dumps(message, default=json_default))
