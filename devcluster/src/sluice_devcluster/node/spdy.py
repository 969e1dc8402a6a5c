"""The frames of SPDY/3.1, the protocol in which the API server forwards ports; as much as a kubelet needs of them.

Flow control is not implemented, neither here nor in the API server.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from dataclasses import dataclass

# The dictionary of the compression: words with their lengths, then a text.
_WORDS = (
    "options,head,post,put,delete,trace,accept,accept-charset,accept-encoding,accept-language,accept-ranges,age,allow,"
    "authorization,cache-control,connection,content-base,content-encoding,content-language,content-length,"
    "content-location,content-md5,content-range,content-type,date,etag,expect,expires,from,host,if-match,"
    "if-modified-since,if-none-match,if-range,if-unmodified-since,last-modified,location,max-forwards,pragma,"
    "proxy-authenticate,proxy-authorization,range,referer,retry-after,server,"
    "te,trailer,transfer-encoding,upgrade,"  # codespell:ignore te
    "user-agent,vary,via,warning,www-authenticate,method,get,status,200 OK,version,HTTP/1.1,url,public,set-cookie,"
    "keep-alive,origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(each)) + each.encode() for each in _WORDS.split(",")) + _TEXT.encode()

_CONTROL, _VERSION = 0x8000, 3
_FIN = 0x01
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_LARGEST_DATA = 2**24 - 1


@dataclass(frozen=True)
class OpenedStream:
    """A stream that the peer opens, with its headers. `is_last`: the peer sends nothing on it."""

    stream: int
    headers: dict[str, str]
    is_last: bool


@dataclass(frozen=True)
class StreamData:
    """Data of a stream. `is_last`: the peer sends nothing after it."""

    stream: int
    data: bytes
    is_last: bool


@dataclass(frozen=True)
class ResetStream:
    """The peer ends a stream in both directions."""

    stream: int


@dataclass(frozen=True)
class Ping:
    """A request to send the same frame back."""

    frame: bytes


Frame = OpenedStream | StreamData | ResetStream | Ping


class FrameReader:
    """Reads the frames of a peer. Headers share one compression, so each frame has to be read."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    async def read_frame(self) -> Frame | None:
        """Return the next frame that has a meaning here; None at the end of the connection."""
        while True:
            try:
                head = await self._reader.readexactly(8)
                body = await self._reader.readexactly(int.from_bytes(head[5:8], "big"))
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            first, kind = struct.unpack(">HH", head[:4])
            is_last = bool(head[4] & _FIN)
            if not first & _CONTROL:
                return StreamData(int.from_bytes(head[:4], "big"), body, is_last)
            if kind == _SYN_STREAM:
                return OpenedStream(_stream_id(body), self._headers(body[10:]), is_last)
            if kind == _RST_STREAM:
                return ResetStream(_stream_id(body))
            if kind == _PING:
                return Ping(head + body)
            if kind == _GOAWAY:
                return None

    def _headers(self, block: bytes) -> dict[str, str]:
        plain = self._inflate.decompress(block)
        texts, position = [], 4
        while position < len(plain):
            length = int.from_bytes(plain[position : position + 4], "big")
            texts.append(plain[position + 4 : position + 4 + length].decode())
            position += 4 + length
        return dict(zip(texts[::2], texts[1::2], strict=True))


class FrameWriter:
    """Encodes frames for a peer."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def reply_frame(self, stream: int) -> bytes:
        """Return the acceptance of a stream, without headers."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control_frame(_SYN_REPLY, struct.pack(">I", stream) + block)

    def data_frame(self, stream: int, data: bytes, *, is_last: bool = False) -> bytes:
        """Return a frame with data, at most 16 MiB. `is_last` ends this direction of the stream."""
        if len(data) > _LARGEST_DATA:
            raise ValueError(f"{len(data)} bytes do not fit into a frame")
        return struct.pack(">I", stream) + bytes([_FIN if is_last else 0]) + len(data).to_bytes(3, "big") + data


def _control_frame(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", _CONTROL | _VERSION, kind) + b"\0" + len(body).to_bytes(3, "big") + body


def _stream_id(body: bytes) -> int:
    return int.from_bytes(body[:4], "big") & 0x7FFFFFFF
