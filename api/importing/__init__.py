"""Import many signed events at once, each fully admitted: the command import."""
