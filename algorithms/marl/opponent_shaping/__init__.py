"""Learners that look at how the others will learn."""
