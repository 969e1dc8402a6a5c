"""TWS's messages: a length of four bytes, then fields that each end in NUL."""

import asyncio
import struct

SERVER_VERSION = 178
GREETING = b"API\0"


def encode_message(*fields: object) -> bytes:
    """Return one message with these fields."""
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload


async def receive_message(reader: asyncio.StreamReader) -> list[str]:
    """Return the fields of the next message; raise IncompleteReadError at the end of the stream."""
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    return (await reader.readexactly(length)).decode().split("\0")[:-1]


def error_message(request: int, code: int, words: str) -> bytes:
    """Return an error or a notice; `request` is -1 if it is about the connection."""
    return encode_message(4, 2, request, code, words, "")


def price_tick_message(request: int, kind: int, price: float, size: float) -> bytes:
    """Return one side of a quote (`kind` 1: bid, 2: ask), or a trade (4)."""
    return encode_message(1, 6, request, kind, price, size, 0)


def contract_details_message(request: int, symbol: str, contract: int, exchange: str = "NASDAQ") -> bytes:
    """Return the contract details of one US stock listed at `exchange`."""
    head = (10, request, symbol, "STK", "", 0, "", "SMART", "USD", symbol, "NMS", "NMS", contract, 0.01)
    about = ("", "", "SMART", 1, 0, f"{symbol} INC", exchange, "", "", "", "", "US/Eastern", "", "", "", 0, 0)
    return encode_message(*head, *about, 1, "", "", "", "", "COMMON", 1, 1, 100)
