"""Every sentence a person reads, as plain text: no escapes, no markup."""
