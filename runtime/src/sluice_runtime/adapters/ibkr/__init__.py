"""Provider `ibkr`."""
