"""The Firestore sink."""
