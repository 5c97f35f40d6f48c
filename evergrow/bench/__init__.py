"""Methods side by side on a stream of tasks. Imports every wing before it."""
