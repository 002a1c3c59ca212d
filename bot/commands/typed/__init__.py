"""What people type, as it was meant: words, periods, names, and until when. Pure."""
