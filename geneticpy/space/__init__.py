"""What may vary: distributions, containers, and the compiled encoding of both."""
