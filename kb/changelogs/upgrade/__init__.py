"""What an upgrade brings: which versions lie on the way, what breaks in them, and which lines of code it touches."""
