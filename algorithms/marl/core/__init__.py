"""What all families of learners stand on: environments, blocks of experience, learners in seats, training."""
