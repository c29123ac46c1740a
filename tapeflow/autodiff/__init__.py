"""Differentiation: tapes, forward accumulators, jacobians, custom gradients."""
