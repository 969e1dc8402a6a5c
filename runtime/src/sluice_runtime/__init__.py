"""The runtime: reads a provider's stream, and writes throttled quotes and heartbeats to Firestore."""
