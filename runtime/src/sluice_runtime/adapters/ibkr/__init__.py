"""Provider `ibkr`: Interactive Brokers."""
