"""How numbers, names, figures and tables look, on pages and on terminals."""
