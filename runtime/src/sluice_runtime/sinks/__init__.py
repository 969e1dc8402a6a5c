"""The destinations of quotes, bars, records, gaps and heartbeats: each has its own folder."""
