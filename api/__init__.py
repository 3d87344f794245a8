"""Everything that meets the outside world: HTTP, the command line, settings and simulation."""
