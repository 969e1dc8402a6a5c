"""The contract: what the operator and the ingest pod agree on."""
