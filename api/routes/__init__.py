"""The HTTP resources, one module each; none imports another."""
