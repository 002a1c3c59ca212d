"""Reading Cartesia's `GET /usage/agents`: protocol without I/O, the client around it, readings shared by all askers."""
