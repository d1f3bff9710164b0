"""Networks, with slots for what the experiments exchange."""
