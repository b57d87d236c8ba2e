"""The loop that improves code until its scores pass. It knows no other front door."""
