"""Whose buckets and objects these are: one account owns everything here."""

# Account numbers have sixteen digits; nobody checks this one.
OWNER_ID = "1234567890123456"
OWNER = (("ID", OWNER_ID), ("DisplayName", OWNER_ID))
