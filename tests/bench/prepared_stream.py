"""The server of the throughput bench: `python -m bench.prepared_stream MESSAGES_PER_FRAME RECORDS [--trades]`.

It frames and encrypts all quotes of a turn before the turn begins, so a turn costs it only the copy into the socket.
RECORDS is `none` (no TLS), `large` (records of 16 KiB) or `frame` (a record for each frame, as a server sends them that
flushes after each frame). It prints its URL and serves one client. Then each input line is a number of passes of the
tape: the server prepares them, prints an empty line, waits for another line, and sends them.
"""

from __future__ import annotations

import argparse
import select
import socket
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgpack
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from bench.consumers import SYMBOLS, TAPE_QUOTES
from bench.trade_tape import tape_messages
from sluice_relay.protocol.encoding import BINARY, MSGPACK, websocket_frame
from sluice_relay.protocol.messages import Message
from sluice_simulators.tapes import FIRST_TIME_MS, TapeQuote, generate_quotes

RECORDS = ("none", "large", "frame")
_READ_BYTES = 65_536


class Encryption(Protocol):
    """The layer between the websocket and TCP."""

    def encrypted(self, parts: Sequence[bytes]) -> bytes:
        """Return the bytes to send for these parts."""

    def decrypted(self, data: bytes) -> bytes:
        """Return the content of received bytes. What must be sent in answer is in the next result of `encrypted`."""


class NoEncryption:
    """Passes on all bytes."""

    def encrypted(self, parts: Sequence[bytes]) -> bytes:
        return b"".join(parts)

    def decrypted(self, data: bytes) -> bytes:
        return data


class TLSRecords:
    """TLS in memory. Each part becomes a record of its own; longer parts become records of 16 KiB."""

    def __init__(self, certificate: Path, key: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_open = False

    def encrypted(self, parts: Sequence[bytes]) -> bytes:
        write = self._tls.write
        for part in parts:
            write(part)
        return self._outgoing.read()

    def decrypted(self, data: bytes) -> bytes:
        self._incoming.write(data)
        found = b""
        try:
            if not self._is_open:
                self._tls.do_handshake()
                self._is_open = True
            while part := self._tls.read(_READ_BYTES):
                found += part
        except ssl.SSLWantReadError:
            pass
        return found


class PreparedStream:
    """One client: its upgrade, its login and its subscriptions, and then the turns."""

    def __init__(self, client: socket.socket, encryption: Encryption) -> None:
        self._client = client
        self._encryption = encryption
        self._websocket = ServerProtocol()
        self._received = b""  # the fragments of a message of the client
        self.is_subscribed = False

    def answer_client(self) -> None:
        """Read what the client has sent, and answer it."""
        self._websocket.receive_data(self._encryption.decrypted(self._client.recv(_READ_BYTES)))
        answers: list[Message] = []
        for event in self._websocket.events_received():
            if isinstance(event, Request):
                self._websocket.send_response(self._websocket.accept(event))
                answers.append({"T": "success", "msg": "connected"})
            elif isinstance(event, Frame) and event.opcode in (Opcode.BINARY, Opcode.CONT):
                self._received += bytes(event.data)
                if event.fin:
                    request, self._received = msgpack.unpackb(self._received), b""
                    answers.append(_answer(request))
                    self.is_subscribed |= request["action"] == "subscribe"
        frames = [websocket_frame(MSGPACK.encode([answer]), BINARY) for answer in answers]
        parts = [part for part in (*self._websocket.data_to_send(), *frames) if part]
        self._client.sendall(self._encryption.encrypted(parts))

    def prepare(self, parts: Sequence[bytes]) -> bytes:
        """Return the bytes to send for these parts. They must be sent before anything else."""
        return self._encryption.encrypted(parts)


def _answer(request: dict[str, object]) -> Message:
    if request["action"] == "auth":
        return {"T": "success", "msg": "authenticated"}
    channels = ("quotes", "trades", "statuses")
    return {"T": "subscription", **{name: list(SYMBOLS) if name != "statuses" else ["*"] for name in channels}}


def tape_frames(per_frame: int, *, with_trades: bool) -> list[bytes]:
    """Return the frames of one pass of the tape.

    All quotes have one time: a repeated tape must not go back in time, or its quotes would be dropped unread.
    """
    quotes = [
        TapeQuote(FIRST_TIME_MS, each.symbol, each.bid, each.bid_size, each.ask, each.ask_size, each.exchange)
        for each in generate_quotes(SYMBOLS, TAPE_QUOTES, 1)
    ]
    messages = tape_messages(quotes, with_trades=with_trades)
    starts = range(0, len(messages), per_frame)
    return [websocket_frame(MSGPACK.encode(messages[start : start + per_frame]), BINARY) for start in starts]


def _serve(options: argparse.Namespace) -> None:
    frames = tape_frames(options.per_frame, with_trades=options.trades)
    is_encrypted = options.records != "none"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"{'wss' if is_encrypted else 'ws'}://localhost:{listener.getsockname()[1]}/v2/iex", flush=True)
        client, _ = listener.accept()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    encryption = TLSRecords(options.tls_cert, options.tls_key) if is_encrypted else NoEncryption()
    stream = PreparedStream(client, encryption)
    parts = frames if options.records == "frame" else [b"".join(frames)]
    while True:
        for ready in select.select([client, *[sys.stdin] * stream.is_subscribed], [], [])[0]:
            if ready is client:
                stream.answer_client()
                continue
            if not (line := sys.stdin.readline()):
                return
            data = stream.prepare(parts * int(line))
            print(flush=True)
            sys.stdin.readline()
            client.sendall(data)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.prepared_stream", description=__doc__)
    parser.add_argument("per_frame", type=int)
    parser.add_argument("records", choices=RECORDS)
    parser.add_argument("--trades", action="store_true")
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    _serve(_parse_arguments())
