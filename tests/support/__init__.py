"""What tests and tools share: small workbooks, small worlds, servers. No test stands here."""
