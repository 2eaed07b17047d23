"""Client contracts, one module each: what a kind of client asks, and how it reads the answer.

    contract    what a contract is made of
    wishes      what a request comes to
    handed      what is handed to a contract once that is granted
    registry    all contracts by name

A contract never decides what may be granted: it names a wish, and the profile rules. Where a client's protocol cannot carry a lock, the
contract goes without it, and `docs/dialects.md` says so.
"""
