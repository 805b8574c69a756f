"""Programs as people have them, without a changed line: what the tests beside ablate."""
