"""Documents without the fields that have their default."""

import msgspec

from sluice_contract.spec import IngestJobSpec
from sluice_operator.domain.sparse_document import without_default_fields

DECLARED = {"tenant": "acme", "provider": "synthetic", "symbols": ["AAPL"], "firestore": {"projectID": "demo-project"}}


def test_only_fields_that_differ_from_their_default_remain() -> None:
    complete = msgspec.to_builtins(msgspec.convert(DECLARED, IngestJobSpec))
    assert len(complete) > len(DECLARED)
    assert without_default_fields(msgspec.convert(complete, IngestJobSpec)) == DECLARED
