"""Where documents are written to."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.market import DocumentOrigin
from ..ports import Sink
from ..state.document_ownership import DocumentOwnership
from ..state.sink_health import SinkHealth
from ..state.write_budget import DailyWriteBudget


@dataclass(frozen=True, kw_only=True)
class DocumentStore:
    """The document store, and what is known of it: whether this job owns the documents, and which writes fail.

    `origin` is written into the documents. `write_budget` says how many more of them can be written today.
    """

    sink: Sink
    origin: DocumentOrigin
    ownership: DocumentOwnership
    health: SinkHealth
    write_budget: DailyWriteBudget
