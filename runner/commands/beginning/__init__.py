"""The verb that begins: `init` writes a first specification, or an example."""
