"""Faults of the machines of a devcluster: a node that is cut off, and an etcd without space."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import grpc

from sluice_devcluster import processes
from sluice_devcluster.cluster import AGENT
from sluice_devcluster.layout import StateDirectory
from support.deadlines import scaled

_ALARM: Final = "/etcdserverpb.Maintenance/Alarm"
# AlarmRequest of etcd's rpc.proto: action (field 1) is ACTIVATE or DEACTIVATE, alarm (field 3) is NOSPACE.
_BEGIN: Final = bytes((0x08, 1, 0x18, 1))
_END: Final = bytes((0x08, 2, 0x18, 1))


@contextmanager
def node_cut_off(state: StateDirectory) -> Iterator[None]:
    """Stop the node agent while the context lasts: its containers run on, and the API server hears nothing of it."""
    record = processes.load_record(state.record_file(AGENT))
    assert record is not None
    processes.send_signal(record, signal.SIGSTOP)
    try:
        yield
    finally:
        processes.send_signal(record, signal.SIGCONT)


@contextmanager
def etcd_without_space(state: StateDirectory) -> Iterator[None]:
    """Let etcd refuse each write while the context lasts, as when its database has reached its quota."""
    _send_alarm_request(state, _BEGIN)
    try:
        yield
    finally:
        _send_alarm_request(state, _END)


def _send_alarm_request(state: StateDirectory, request: bytes) -> None:
    settings = state.load_settings()
    assert settings is not None
    names = ("ca.crt", "apiserver-etcd-client.key", "apiserver-etcd-client.crt")
    credentials = grpc.ssl_channel_credentials(*((state.pki / name).read_bytes() for name in names))
    with grpc.secure_channel(f"127.0.0.1:{settings.etcd_client_port}", credentials) as channel:
        channel.unary_unary(_ALARM)(request, timeout=scaled(10))
