"""Which release this is; `pyproject.toml` says the same, and a test compares them."""

VERSION = "1.0.0"
