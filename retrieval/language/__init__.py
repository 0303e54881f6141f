"""What reports say: reference limits, sections of a report, findings with polarity."""
