"""Alpaca's stream protocol: messages, encodings and subscriptions, for servers and simulators."""
