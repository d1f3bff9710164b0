"""What a run leaves in its folder, written while it trains. The only place that knows TensorBoard."""
