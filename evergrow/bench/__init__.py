"""Methods side by side on a stream of tasks. Imports all wings but commands."""
