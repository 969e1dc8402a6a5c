"""The operator: an IngestJob in, one ingest pod and an honest status out."""
