"""Engines: what runs graphs."""
