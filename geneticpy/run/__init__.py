"""One run in time: when it stops, what is recorded, what is shown and returned."""
