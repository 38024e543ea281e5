"""How numbers, names, figures and tables style, on pages and on terminals."""
