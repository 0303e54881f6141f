"""What is known about every study, in SQL: the truth of which an index is a cache."""
