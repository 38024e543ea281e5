"""The kinds of figures that sections share: dots with intervals, lines with bands, scatters and maps."""
