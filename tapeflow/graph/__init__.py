"""Graphs of ops: what they are made of, how they are traced, and what can be done to them before they run."""
