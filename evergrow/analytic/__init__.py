"""Learning exactly, from integer sums over fixed features. Imports no wing above it."""
