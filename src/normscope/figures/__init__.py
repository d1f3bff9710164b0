"""How every figure looks; the only place under src/ that knows matplotlib."""
