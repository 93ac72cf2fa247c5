"""Who survives and what is tried next: arrays only."""
