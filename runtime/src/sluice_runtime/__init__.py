"""The runtime: a provider's stream in, throttled Firestore writes and heartbeats out."""
