"""The pure core: what a reading means for each rule, and what to say about it. No I/O, no clock."""
