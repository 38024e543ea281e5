"""What sections read."""
