"""Pure functions: (snapshot, now) → decision + reasons.

No clock, randomness, logging or await. Where a tie must be broken, the caller passes the
order. Called by the operations (through ``scheduling``), the controllers and traffic.
"""
