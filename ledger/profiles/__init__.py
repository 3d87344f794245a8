"""What the content of each event type must contain, one module per area."""
