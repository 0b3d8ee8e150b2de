"""Funnels from exported clickstream: which step loses people, and which small actions matter."""

__version__ = "0.1.0"
