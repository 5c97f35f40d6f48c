"""Reports in one HTML file: pages and charts. Imports commands, never cli."""
