"""The asyncio protocol between the transport of a websocket and aiohttp: it decodes most data itself.

Whole binary frames under 64 KiB are decoded in the buffer into which the transport reads. All other bytes go to
aiohttp, unchanged and in order: the other frames, and everything after a frame that ends the websocket or breaks its
protocol. While aiohttp has a data frame that has not been handled, it also gets the frames after it, so that messages
keep their order (docs/adr/0045).

The format of a frame is that of RFC 6455, section 5.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import aiohttp

from .messages import DECODING_FAULTS, Message, decode_binary_frame, decode_frame

OnMessages = Callable[[Sequence[Message]], None]

# Has room for the beginning of the longest frame that is decoded here, and for a read of the same size after it. The
# messages of one read are passed on together (docs/adr/0045 has other sizes).
_BUFFER_BYTES = 128 << 10
_HEADER_BYTES = 4  # of the longest frame that is decoded here

_WHOLE_BINARY_FRAME = 0x82  # the last fragment of its message, no reserved bits, opcode 2
_LAST_FRAGMENT = 0x80
# The first bytes of valid data frames: continuation, text and binary, each with and without _LAST_FRAGMENT.
_DATA_FRAMES = frozenset({0x00, 0x01, 0x02, 0x80, 0x81, 0x82})
_PING_AND_PONG = frozenset({0x89, 0x8A})
_LONGEST_CONTROL_PAYLOAD = 125
# The second byte is the length up to 125, or one of these two values. A server sets no mask bit in it.
_LENGTH_IN_2_BYTES = 126
_LENGTH_IN_8_BYTES = 127
# Makes aiohttp's reader return, so that it raises the failure of a message that was decoded here.
_EMPTY_BINARY_FRAME = bytes((_WHOLE_BINARY_FRAME, 0))


class FrameProtocol(asyncio.BufferedProtocol):
    """Receives the bytes of one websocket from its transport, from the first byte after the upgrade on.

    It is created before aiohttp has a parser for frames, and replaces aiohttp's protocol as that of the transport.
    Until `decode_frames_for`, all bytes go to aiohttp.
    """

    def __init__(self, connection: aiohttp.connector.Connection) -> None:
        handler, transport = connection.protocol, connection.transport
        if handler is None or transport is None:
            raise aiohttp.ClientConnectionError("The connection was closed during the upgrade")
        self.failure: Exception | None = None  # what `on_messages` raised
        self._aiohttp = handler
        self._on_messages: OnMessages | None = None
        self._decode: Callable[[memoryview], Sequence[Message]] = decode_binary_frame
        # Behind what the transport fills, there is room for a header that has not arrived.
        self._buffer = bytearray(_BUFFER_BYTES + _HEADER_BYTES)
        self._view = memoryview(self._buffer)[:_BUFFER_BYTES]
        self._kept_bytes = 0  # of an unfinished frame, at the beginning of the buffer
        self._rest_bytes = 0  # still to come of a frame whose beginning aiohttp has
        self._unhandled_frames = 0  # last fragments of data frames that aiohttp has, and its reader has not handled
        self._is_between_fragments = False
        self._is_forwarding_all = False
        # What came in the same read as the response to the upgrade request: aiohttp would give it to its parser.
        received, handler._tail = handler._tail, b""
        transport.set_protocol(self)
        self._receive_copy(received)

    def decode_frames_for(self, on_messages: OnMessages) -> None:
        """Call `on_messages` with the messages of the frames that are decoded from now on.

        The first exception that it raises becomes `failure`, and wakes aiohttp's reader with an empty frame.
        """
        self._on_messages = on_messages

    def forward_all_frames(self) -> None:
        """Give all frames to aiohttp without looking at them, for a peer that sends text."""
        self._is_forwarding_all = True

    def discard_frames(self) -> None:
        """Drop the frames that would be decoded from now on. aiohttp gets the others, such as the close frame."""
        self._decode, self._on_messages = _no_messages, _ignore

    def mark_frame_handled(self) -> None:
        """Note that the messages of a data frame that aiohttp returned have been handled."""
        self._unhandled_frames -= 1

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view[self._kept_bytes :]

    def buffer_updated(self, nbytes: int) -> None:
        stop = self._kept_bytes + nbytes
        self._kept_bytes = 0
        self._aiohttp.data_received(b"")  # any data proves that the peer is alive: aiohttp restarts its timer of pings
        done = self._process(stop)
        if done < stop:
            self._kept_bytes = stop - done
            self._view[: self._kept_bytes] = bytes(self._view[done:stop])

    def eof_received(self) -> None:
        self._aiohttp.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._view, self._buffer = memoryview(b""), bytearray()  # aiohttp's objects may live on for a while
        self._aiohttp.connection_lost(exc)

    def pause_writing(self) -> None:
        self._aiohttp.pause_writing()

    def resume_writing(self) -> None:
        self._aiohttp.resume_writing()

    def _receive_copy(self, received: bytes) -> None:
        """Process bytes that did not come through the buffer."""
        for start in range(0, len(received), _BUFFER_BYTES // 2):
            part = received[start : start + _BUFFER_BYTES // 2]
            self._view[self._kept_bytes : self._kept_bytes + len(part)] = part
            self.buffer_updated(len(part))

    def _process(self, stop: int) -> int:
        """Decode or forward the bytes before `stop`, and return the position of the first byte to keep."""
        position = min(self._rest_bytes, stop)
        self._rest_bytes -= position
        start = 0  # of what is forwarded next
        while position < stop:
            if self._may_decode_frame(position, stop):
                self._forward(start, position)
                after = start = self._decode_frames(position, stop)
            else:
                after = self._frame_end_to_forward(position, stop)
            if after == position:
                break
            position = after
        self._forward(start, position)
        return position

    def _may_decode_frame(self, position: int, stop: int) -> bool:
        """Whether the frame is decoded here, as far as its first two bytes tell."""
        return (
            self._on_messages is not None
            and self._buffer[position] == _WHOLE_BINARY_FRAME
            and (position + 1 == stop or self._buffer[position + 1] <= _LENGTH_IN_2_BYTES)
            and not self._unhandled_frames
            and not self._is_between_fragments
            and not self._is_forwarding_all
        )

    def _decode_frames(self, position: int, stop: int) -> int:
        """Decode the whole binary frames from `position` on, and return the position after them."""
        # Hot path. Of a header that has not arrived, this reads what is left of earlier data: whatever that is, the
        # frame then ends behind `stop`.
        data, view, decode = self._buffer, self._view, self._decode
        first = position
        messages: list[Message] = []
        while position < stop and data[position] == _WHOLE_BINARY_FRAME:
            start, length = position + 2, data[position + 1]
            if length > _LONGEST_CONTROL_PAYLOAD:
                if length != _LENGTH_IN_2_BYTES:
                    break
                start, length = position + 4, data[position + 2] << 8 | data[position + 3]
            end = start + length
            if end > stop:
                break
            try:
                messages += decode(view[start:end])
            except DECODING_FAULTS:
                messages += decode_frame(bytes(view[start:end]))
            position = end
        if position > first:
            self._pass_on(messages)
        return position

    def _pass_on(self, messages: Sequence[Message]) -> None:
        try:
            if self._on_messages is not None:
                self._on_messages(messages)
        except Exception as error:  # asyncio would close the transport without a handshake
            self.failure = error
            self.discard_frames()
            self._aiohttp.data_received(_EMPTY_BINARY_FRAME)

    def _frame_end_to_forward(self, position: int, stop: int) -> int:
        """Return the end of the part of a frame that is forwarded now; `position` if its header is incomplete."""
        if self._is_forwarding_all:
            return stop
        if stop - position < 2:
            return position
        first, second = self._buffer[position], self._buffer[position + 1]
        if not _is_valid_and_open(first, second):
            self._is_forwarding_all = True
            return stop
        payload = position + 2 + {_LENGTH_IN_2_BYTES: 2, _LENGTH_IN_8_BYTES: 8}.get(second, 0)
        if payload > stop:
            return position
        length = int.from_bytes(self._view[position + 2 : payload], "big") if payload > position + 2 else second
        if first in _DATA_FRAMES:
            self._is_between_fragments = not first & _LAST_FRAGMENT
            self._unhandled_frames += not self._is_between_fragments
        self._rest_bytes = max(0, payload + length - stop)
        return min(payload + length, stop)

    def _forward(self, start: int, stop: int) -> None:
        if start < stop:
            self._aiohttp.data_received(bytes(self._view[start:stop]))


def _is_valid_and_open(first: int, second: int) -> bool:
    """Whether a frame that begins with these bytes is valid, and other frames may follow it."""
    if first in _PING_AND_PONG:
        return second <= _LONGEST_CONTROL_PAYLOAD
    return first in _DATA_FRAMES and second <= _LENGTH_IN_8_BYTES


def _no_messages(_: memoryview) -> Sequence[Message]:
    return ()


def _ignore(_: Sequence[Message]) -> None:
    pass
