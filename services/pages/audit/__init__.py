"""The supervisor's room: find a case, see it and every figure as of any moment, ask, and take it along."""
