"""Reads the quotes that Sluice writes, and says at each instant whether they can be relied on."""

from sluice_client.documents import Failure, Gap, Heartbeat, Quote, parse_heartbeat, parse_quote
from sluice_client.skew import SkewEstimator
from sluice_client.sources import MemorySource, Source
from sluice_client.updates import Unusable, Update, Usable, usable_quotes
from sluice_client.verdict import Reader, Reason, Verdict, is_live

__all__ = [
    "Failure",
    "Gap",
    "Heartbeat",
    "MemorySource",
    "Quote",
    "Reader",
    "Reason",
    "SkewEstimator",
    "Source",
    "Unusable",
    "Update",
    "Usable",
    "Verdict",
    "is_live",
    "parse_heartbeat",
    "parse_quote",
    "usable_quotes",
]
