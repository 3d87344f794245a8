"""Simulate a Vietnamese hospital: the same seed always writes the very same contents."""
