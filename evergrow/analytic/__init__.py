"""Learning exactly, from integer sums over fixed features. Imports storage."""
