"""The contract between the operator and the ingest pod."""
