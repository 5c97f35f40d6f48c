"""Networks whose head grows, and what it takes to run them. Imports data, storage."""
