"""Each file is a job: a function of finished runs that says where to measure, what, and what follows from it."""
