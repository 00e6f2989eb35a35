"""Servers that stand in the lab's networks: real software first, fakes only where it cannot misbehave."""
