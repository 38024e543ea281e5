"""S-LCD: two firms that invest alone or together."""
