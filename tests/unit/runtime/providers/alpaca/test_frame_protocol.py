"""Frames that arrive in every possible way, at aiohttp's real parser. The test takes the place of the transport."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp.client_proto import ResponseHandler

from sluice_runtime.domain.failure import StreamError
from sluice_runtime.providers.alpaca.messages import Message, QuoteMessage
from sluice_runtime.providers.alpaca.websocket import Endpoint, NativeTransport, Timeouts
from support.deadlines import within
from support.encoded_frames import PING, PONG, binary, fragments, masked, text
from support.raw_websocket_peer import CLOSE_FRAME, RawWebSocketPeer

REAL_TIME = True
# Each kind of frame between and after frames that are decoded in place. The quotes are numbered in order.
MIXED = b"".join(
    [
        binary(0),
        PING,
        binary(1, 2),
        text(3),
        binary(4),
        fragments(5, between=PING),
        binary(6),
        PONG,
        binary(byte_count=0),
        binary(7, byte_count=300),
        binary(8, 9, 10),
    ]
)
MIXED_COUNT = 11


class Stream:
    """An open websocket whose bytes come from the test, and the quotes that its reader got."""

    def __init__(self, transport: NativeTransport, peer: RawWebSocketPeer) -> None:
        self.numbers: list[int] = []
        self.transport = transport
        self.peer = peer
        self.reading = asyncio.ensure_future(transport.read_until_closed(self._take))
        self.raise_at: int | None = None
        self._has_more = asyncio.Event()

    def feed(self, data: bytes) -> None:
        """Pass bytes to the protocol as a transport does that reads them at once."""
        frames = self.transport._socket.frames
        while data:
            room = frames.get_buffer(-1)
            part, data = data[: len(room)], data[len(room) :]
            room[: len(part)] = part
            frames.buffer_updated(len(part))

    async def wait_for(self, count: int) -> list[int]:
        """Return the numbers of the quotes, once there are `count` of them."""
        async with within(5):
            while len(self.numbers) < count:
                self._has_more.clear()
                await self._has_more.wait()
        return self.numbers

    async def failure(self) -> StreamError:
        """Return the failure with which reading ends."""
        with pytest.raises(StreamError) as failed:
            async with within(5):
                await self.reading
        return failed.value

    def _take(self, messages: Sequence[Message]) -> None:
        self._has_more.set()
        for message in messages:
            assert isinstance(message, QuoteMessage)
            self.numbers.append(int(message.symbol[1:]))
            if self.numbers[-1] == self.raise_at:
                raise StreamError("auth", "refused")


@asynccontextmanager
async def open_stream(with_upgrade: bytes = b"") -> AsyncIterator[Stream]:
    peer = RawWebSocketPeer(with_upgrade)
    async with peer.serving() as url:
        stream = Stream(await NativeTransport.open(Endpoint(url=url, tls=None, timeouts=Timeouts())), peer)
        await asyncio.sleep(0.01)  # until its task reads
        try:
            yield stream
        finally:
            await stream.transport.close()
            await asyncio.gather(stream.reading, return_exceptions=True)


@pytest.fixture
def forwarded(monkeypatch: pytest.MonkeyPatch) -> bytearray:
    """Return all bytes that aiohttp gets, including the response to the upgrade request."""
    found = bytearray()
    original = ResponseHandler.data_received

    def data_received(self: ResponseHandler, data: bytes) -> None:
        found.extend(data)
        original(self, data)

    monkeypatch.setattr(ResponseHandler, "data_received", data_received)
    return found


@pytest.mark.parametrize("has_turn_between", [False, True])
async def test_frames_split_at_every_byte_keep_their_content_and_order(has_turn_between: bool) -> None:
    async with open_stream() as stream:
        for split in range(len(MIXED) + 1):
            stream.numbers.clear()
            stream.feed(MIXED[:split])
            for _ in range(5 * has_turn_between):
                await asyncio.sleep(0)
            stream.feed(MIXED[split:])
            assert await stream.wait_for(MIXED_COUNT) == list(range(MIXED_COUNT)), split


async def test_frames_that_arrive_byte_by_byte_keep_their_content_and_order() -> None:
    async with open_stream() as stream:
        for byte in MIXED:
            stream.feed(bytes([byte]))
        assert await stream.wait_for(MIXED_COUNT) == list(range(MIXED_COUNT))


@pytest.mark.parametrize("seed", range(60))
async def test_random_frames_in_random_reads_keep_their_content_and_order(seed: int) -> None:
    chance = random.Random(seed)
    kinds = [binary, binary, binary, text, fragments]
    frames = [chance.choice(kinds)(number) + chance.choice([b"", b"", PING]) for number in range(60)]
    frames[chance.randrange(60)] = b"".join([PING, PONG])
    expected = [number for number, frame in enumerate(frames) if frame != PING + PONG]
    data = b"".join(frames)
    async with open_stream() as stream:
        while data:
            size = chance.choice([1, 3, 50, 90, 400, 3000])
            stream.feed(data[:size])
            data = data[size:]
            if chance.random() < 0.3:
                await asyncio.sleep(0)
        assert await stream.wait_for(len(expected)) == expected


async def test_whole_binary_frames_are_decoded_within_the_read_and_aiohttp_gets_the_rest_unchanged(
    forwarded: bytearray,
) -> None:
    async with open_stream() as stream:
        forwarded.clear()
        stream.feed(PING + binary(0) + binary(1, 2) + PONG + binary(3) + text(4) + binary(5))
        assert stream.numbers == [0, 1, 2, 3]
        # The last frame waits behind the text.
        assert forwarded == PING + PONG + text(4) + binary(5)
        assert await stream.wait_for(6) == [0, 1, 2, 3, 4, 5]
        stream.feed(binary(6))
        assert stream.numbers[6:] == [6]


@pytest.mark.parametrize(
    ("byte_count", "is_decoded_in_place"), [(125, True), (126, True), (65_535, True), (65_536, False)]
)
@pytest.mark.parametrize("split", [None, 1, 2, 3, 4, 9, 10, 60, -1])
async def test_a_frame_is_decoded_in_place_below_64_kib(
    forwarded: bytearray, byte_count: int, is_decoded_in_place: bool, split: int | None
) -> None:
    frame = binary(0, byte_count=byte_count)
    async with open_stream() as stream:
        forwarded.clear()
        if split is not None:
            stream.feed(frame[:split])
            assert stream.numbers == []
        stream.feed(frame[split:] if split is not None else frame)
        assert stream.numbers == [0] * is_decoded_in_place
        assert forwarded == (b"" if is_decoded_in_place else frame)
        assert await stream.wait_for(1) == [0]
        stream.feed(binary(1))
        assert await stream.wait_for(2) == [0, 1]


@pytest.mark.parametrize("last_bytes", range(6))
async def test_a_frame_whose_header_begins_in_the_last_bytes_of_the_buffer_is_complete(last_bytes: int) -> None:
    async with open_stream() as stream:
        room = len(stream.transport._socket.frames.get_buffer(-1))
        two = binary(0, byte_count=60_000) + binary(1, byte_count=60_000)
        third = binary(2, byte_count=room - last_bytes - len(two) - 4)
        stream.feed(two + third + binary(3, byte_count=300) + binary(4))
        assert stream.numbers == [0, 1, 2, 3, 4]


async def test_a_malformed_message_costs_only_itself() -> None:
    broken = binary(1, 2, 3).replace(b"Q2", b"\xff\xff")
    async with open_stream() as stream:
        stream.feed(binary(0) + broken + bytes([0x82, 1, 0xC1]) + binary(4))
        assert stream.numbers == [0, 1, 3, 4]


async def test_frames_after_a_large_frame_wait_until_all_of_its_parts_are_handled() -> None:
    async with open_stream() as stream:
        large = range(2000)
        stream.feed(binary(*large))
        await stream.wait_for(500)
        assert len(stream.numbers) < 2000
        stream.feed(binary(2000))
        stream.feed(binary(2001))
        assert await stream.wait_for(2002) == list(range(2002))


@pytest.mark.parametrize(
    "invalid",
    [
        bytes([0xC2]) + binary(1)[1:],  # compressed, although deflate was not negotiated
        bytes([0xA2]) + binary(1)[1:],
        bytes([0x92]) + binary(1)[1:],
        bytes([0x83]) + binary(1)[1:],  # unknown kinds of frames
        bytes([0x8B, 0]),
        bytes([0xC9, 0xFE, 0, 0]),
        bytes([0x09, 0]),  # a fragment of a ping
        bytes([0x89, 126, 0, 126]) + bytes(126),
        bytes([0x80, 0]),  # the continuation of nothing
        fragments(1)[:12] + binary(1),  # another message between two fragments
        bytes([0x82, 127]) + (9 << 20).to_bytes(8, "big"),
        CLOSE_FRAME,
    ],
)
async def test_nothing_is_decoded_after_a_frame_that_ends_the_websocket(forwarded: bytearray, invalid: bytes) -> None:
    async with open_stream() as stream:
        forwarded.clear()
        stream.feed(binary(0) + invalid + binary(2) + PING)
        assert forwarded == invalid + binary(2) + PING
        failure = await stream.failure()
        assert stream.numbers == [0]
    assert failure.kind == "upstreamClosed"


async def test_masked_frames_go_to_aiohttp_and_all_frames_after_them(forwarded: bytearray) -> None:
    async with open_stream() as stream:
        forwarded.clear()
        sent = masked(binary(1)) + binary(2) + masked(PING) + binary(3)
        stream.feed(binary(0) + sent[:50])
        stream.feed(sent[50:])
        assert await stream.wait_for(4) == [0, 1, 2, 3]
        assert forwarded == sent


@pytest.mark.parametrize("frame", [binary(1, 9), text(1, 9), fragments(1, 9)], ids=["binary", "text", "fragments"])
async def test_the_failure_of_a_message_ends_reading_and_the_websocket_is_closed_with_a_handshake(frame: bytes) -> None:
    async with open_stream() as stream:
        stream.raise_at = 1
        stream.feed(binary(0) + frame)
        stream.feed(binary(2))
        assert (await stream.failure()).message == "refused"
        stream.feed(binary(3) + text(4))
        async with within(1):
            await stream.transport.close()
        assert stream.transport._socket.close_code == 1000  # the peer has answered
    assert stream.numbers == [0, 1]


async def test_frames_before_the_reader_begins_are_kept_for_it_in_order() -> None:
    peer = RawWebSocketPeer()
    async with peer.serving() as url:
        transport = await NativeTransport.open(Endpoint(url=url, tls=None, timeouts=Timeouts()))
        await peer.send(binary(0) + text(1) + binary(2) + binary(3))
        first = await transport.receive_frame()
        assert [message.symbol for message in first.messages if isinstance(message, QuoteMessage)] == ["Q0"]
        stream = Stream(transport, peer)
        stream.feed(binary(4))
        assert await stream.wait_for(4) == [1, 2, 3, 4]
        stream.feed(binary(5))
        assert stream.numbers[4:] == [5]
        await transport.close()
        await asyncio.gather(stream.reading, return_exceptions=True)


async def test_aiohttp_gets_all_frames_of_a_peer_that_sends_text() -> None:
    peer = RawWebSocketPeer(text(0) + text(1)[:1])
    async with peer.serving() as url:
        transport = await NativeTransport.open(Endpoint(url=url, tls=None, timeouts=Timeouts()))
        await transport.receive_frame()
        stream = Stream(transport, peer)
        await asyncio.sleep(0.01)
        stream.feed(text(1)[1:] + text(2) + fragments(3) + binary(4) + text(5)[:9])
        assert stream.numbers == []
        stream.feed(text(5)[9:])
        assert await stream.wait_for(5) == [1, 2, 3, 4, 5]
        await transport.close()
        await asyncio.gather(stream.reading, return_exceptions=True)
