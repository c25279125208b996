"""A second implementation of what cvm-verify decides: see ../README.md."""
