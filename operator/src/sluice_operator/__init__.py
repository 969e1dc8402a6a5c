"""The operator: it runs one ingest pod for each IngestJob and reports an honest status."""
