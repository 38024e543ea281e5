"""What planners reach in the games and on their own ground: kept measurements."""
