"""What this computer is, and which devices each framework really sees."""
