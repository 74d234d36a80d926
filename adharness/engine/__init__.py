"""The engine: extract once, fit, score, calibrate, judge."""
