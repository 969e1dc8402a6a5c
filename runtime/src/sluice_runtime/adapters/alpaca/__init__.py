"""Provider `alpaca`: two engines, one dialogue."""
