"""`sluice-runtime serve`: a recorded day for any client of the vendor's stream protocol."""
