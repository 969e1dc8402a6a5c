"""What would happen if a document was applied: pure comparisons of documents, jobs and policies."""
