"""Provider `alpaca`: two engines that share one implementation of Alpaca's protocol."""
