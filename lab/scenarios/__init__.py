"""One short play a file: who stands where, what is broken, which cause must be named."""
