"""The documentation: pages for people, `conf` for Sphinx, and what makes the reference."""
