"""The outside world: one folder a service behind one contract, and the templates that messages are made of."""
