"""adharness: a benchmark harness that compares visual anomaly-detection methods fairly."""
