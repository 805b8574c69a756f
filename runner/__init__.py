"""How a grid is run: specification, design, store, slots, training."""
