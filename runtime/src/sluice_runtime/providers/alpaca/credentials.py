"""The mounted Secret and CA certificates of provider alpaca, which can change while the pod runs."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import deque
from pathlib import Path

import msgspec

from sluice_contract import identity
from sluice_contract.alpaca import ALPACA_KEY_ID, ALPACA_SECRET_KEY, AlpacaSettings
from sluice_contract.env_file_values import env_file_mistakes

from ...adapters.user_text import UserTextError, read_certificates, read_user_bytes, read_user_text
from ...domain.failure import StreamError
from .errors import Remedies

# A pair that is written half before each attempt must not fill the memory.
_MOST_REFUSED = 20
POLL_SECONDS = 1.0  # mounted files send no events


class Credentials(msgspec.Struct, frozen=True):
    """An Alpaca key pair. Its repr leaves out the secret, so that no log contains it."""

    key_id: str
    secret_key: str

    def __repr__(self) -> str:
        return "Credentials(…)"


class KeyPairHistory:
    """The key pair that the provider accepted last, and those that it refused since. They are kept in memory only."""

    def __init__(self) -> None:
        self.accepted: Credentials | None = None
        self.generation = 0  # the number of pairs that were accepted
        self.problem: str | None = None  # why a newer pair is not used, and what to do
        self._refused: deque[Credentials] = deque(maxlen=_MOST_REFUSED)

    def usable_pair(self, mounted: Credentials) -> Credentials:
        """Return the mounted pair, or the accepted one if the mounted one was refused."""
        return self.accepted if self.accepted is not None and mounted in self._refused else mounted

    def is_refused(self, pair: Credentials) -> bool:
        """Return True if the provider has refused this pair while it accepted another."""
        return pair in self._refused

    def record_accepted(self, pair: Credentials) -> None:
        """Record that the stream accepted a pair. Pairs that were refused before stay refused."""
        if pair != self.accepted:
            self.accepted = pair
            self.generation += 1

    def record_refused(self, pair: Credentials, problem: str) -> None:
        """Record that a new pair was refused. `problem` is a sentence without secrets."""
        self._refused.append(pair)
        self.problem = problem

    def forget_accepted(self) -> None:
        """Record that the accepted pair is refused now, so that no pair is left to fall back to."""
        self.accepted, self.problem = None, None
        self._refused.clear()


class CredentialsReader:
    """Reads the mounted key pair and certificates for each connection, so that a rotated Secret needs no restart."""

    def __init__(self, settings: AlpacaSettings, credentials_dir: Path, ca_file: Path | None) -> None:
        self._secret = settings.credentials_secret_ref.name if settings.credentials_secret_ref else ""
        self._credentials_dir = credentials_dir
        self._ca_file = ca_file
        self._used: tuple[Credentials | None, bytes | None] | None = None
        self.history = KeyPairHistory()

    @property
    def secret_name(self) -> str:
        """The name of the Secret, for messages."""
        return self._secret

    @property
    def remedies(self) -> Remedies:
        """What to do about refused credentials and an untrusted certificate."""
        return Remedies(
            f"check the key pair in the Secret {self._secret}, and that it belongs to this account",
            "name its CA in spec.alpaca.caConfigMapRef",
        )

    def read_and_remember_credentials(self) -> Credentials:
        """Return the key pair for a new connection, and remember the files: `wait_for_change` compares later versions.

        This is the mounted pair, or the accepted one if the provider has refused the mounted pair.

        Raises:
            StreamError: the Secret is missing or incomplete.
        """
        self._used = self._credentials_and_certificates()
        found = self._used[0]
        if found is None:
            self._raise_on_unknown_encoding()
            raise StreamError("configuration", self._missing_key_message())
        usable = self.history.usable_pair(found)
        if self.history.accepted is None and (mistakes := _env_file_mistakes(usable)):
            raise StreamError(
                "configuration", f"in the Secret {self._secret}, {mistakes}; the stream then starts by itself"
            )
        return usable

    def read_credentials_or_none(self) -> Credentials | None:
        """Return the key pair for REST requests; None while the Secret is missing or incomplete."""
        found = self._read_key_pair()
        return self.history.usable_pair(found) if found is not None else None

    def has_new_certificates(self) -> bool:
        """Return True if the CA certificates differ from those of the last connection, and there is a key pair."""
        pair, certificates = self._credentials_and_certificates()
        return pair is not None and self._used is not None and certificates != self._used[1]

    def read_mounted_pair(self) -> Credentials | None:
        """Return the mounted key pair, even if it was refused; None while the Secret is missing or incomplete."""
        return self._read_key_pair()

    def tls_context(self) -> ssl.SSLContext | None:
        """Return a TLS context that trusts the job's own CA certificates; None to trust the system's certificates.

        Raises:
            StreamError: the file of the job's own CA certificates cannot be read or has no certificates.
        """
        if self._ca_file is None:
            return None
        return self._load_tls_context_and_certificates(self._ca_file)[0]

    def copy_certificates_to_memory(self) -> Path | None:
        """Copy the job's own CA certificates to a file in memory, and return its path; None to trust the system's.

        A library can read this file, because it is in ASCII. It is in memory, because a pod's file system is read-only,
        and exists as long as the process.

        Raises:
            StreamError: the file of the job's own CA certificates cannot be read or has no certificates.
        """
        if self._ca_file is None:
            return None
        _, certificates = self._load_tls_context_and_certificates(self._ca_file)
        copy = os.memfd_create("certificates")
        os.write(copy, certificates.encode())
        return Path(f"/proc/self/fd/{copy}")

    def _load_tls_context_and_certificates(self, file: Path) -> tuple[ssl.SSLContext, str]:
        try:
            certificates = read_certificates(file)
            return ssl.create_default_context(cadata=certificates), certificates
        except (OSError, UserTextError) as error:  # SSLError is an OSError
            raise StreamError(
                "certificate",
                f"the ConfigMap of spec.alpaca.caConfigMapRef has no certificates under {identity.CA_KEY}: {error}",
            ) from None

    async def wait_for_next_read(self) -> None:
        """Wait for the interval at which the mounted files are read."""
        await asyncio.sleep(POLL_SECONDS)

    async def wait_for_change(self) -> None:
        """Wait until there is a key pair, and it or the CA certificates differ from those of the last connection."""
        while (found := self._credentials_and_certificates()) == self._used or found[0] is None:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)

    def _credentials_and_certificates(self) -> tuple[Credentials | None, bytes | None]:
        try:
            certificates = read_user_bytes(self._ca_file) if self._ca_file is not None else None
        except (OSError, UserTextError):
            certificates = None
        return self._read_key_pair(), certificates

    def _read_key_pair(self) -> Credentials | None:
        key_id, secret_key = self._read_value(ALPACA_KEY_ID), self._read_value(ALPACA_SECRET_KEY)
        return Credentials(key_id, secret_key) if key_id and secret_key else None

    def _missing_key_message(self) -> str:
        """Return which keys the Secret lacks, and the command that adds them."""
        names = (ALPACA_KEY_ID, ALPACA_SECRET_KEY)
        missing = [name for name in names if not (self._credentials_dir / name).exists()]
        if len(missing) == len(names):
            return (
                f"the Secret {self._secret} is missing, or has neither {names[0]} nor {names[1]}; create it in the "
                f"job's own namespace with kubectl create secret generic {self._secret} --from-literal={names[0]}=… "
                f"--from-literal={names[1]}=…; the stream then starts by itself"
            )
        what = "lacks the key" if missing else "has no value under the key"
        lacking = missing or [name for name in names if not self._read_value(name)]
        values = ",".join(f'"{name}":"…"' for name in lacking)
        return (
            f"the Secret {self._secret} {what} {' and '.join(lacking)}; add it in the job's own namespace with kubectl "
            f"patch secret {self._secret} -p '{{\"stringData\":{{{values}}}}}'; the stream then starts by itself"
        )

    def _read_value(self, name: str) -> str:
        """Return the value of a key of the Secret; empty if there is none."""
        try:
            return read_user_text(self._credentials_dir / name).strip()
        except (OSError, UserTextError):
            return ""

    def _raise_on_unknown_encoding(self) -> None:
        """Raise StreamError if a key of the Secret exists but is not text in a known encoding."""
        for key in (ALPACA_KEY_ID, ALPACA_SECRET_KEY):
            try:
                read_user_text(self._credentials_dir / key)
            except UserTextError as error:
                raise StreamError(
                    "configuration", f"the key {key} of the Secret {self._secret} cannot be read: {error}"
                ) from None
            except OSError:
                continue


def _env_file_mistakes(pair: Credentials) -> str:
    """Return the mistakes of an env file in a pair, such as quotation marks; empty if there are none."""
    values = {ALPACA_KEY_ID: pair.key_id, ALPACA_SECRET_KEY: pair.secret_key}
    return "; ".join(env_file_mistakes(values, values))
