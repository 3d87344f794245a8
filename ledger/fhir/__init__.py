"""Decode and check clinical content: FHIR R4 (4.0.1) JSON."""
