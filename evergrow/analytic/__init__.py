"""Learning exactly, from integer sums over fixed features. Imports no other wing."""
