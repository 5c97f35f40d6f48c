"""Learning by gradients: the loop, and what methods share. Imports data, storage, nn."""
