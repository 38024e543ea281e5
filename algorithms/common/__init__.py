"""What learners of several families use, and what every learner owes the harness."""
