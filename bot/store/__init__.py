"""What must survive a crash: readings, rules, what was said, and the outbox. SQLAlchemy Core, SQLite or PostgreSQL."""
