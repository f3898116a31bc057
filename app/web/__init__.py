"""What all dialects share about HTTP: parameters, bodies, ranges, errors, audit."""
