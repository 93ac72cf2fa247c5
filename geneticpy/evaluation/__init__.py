"""How a loss is computed."""
