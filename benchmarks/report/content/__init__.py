"""What a section is made of."""
