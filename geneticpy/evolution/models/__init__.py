"""What screens a brood: models of the loss, learned from what was told. They know no strategy."""
