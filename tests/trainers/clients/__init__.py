"""Programs as people have them, brought without a changed line: what the tests beside them ablate."""
