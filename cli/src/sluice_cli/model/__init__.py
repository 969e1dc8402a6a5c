"""What the plugin knows about jobs and pauses, as values: read from objects of the API server, without I/O."""
