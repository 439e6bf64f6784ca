"""Frozen records and their rules.

Owns what a cluster, a task, a service, a target group *is*. Every part of Homeport reads
these records; they import nothing of ours and do no I/O. Times are float epoch seconds
(UTC) in fields named ``*_at``; identifiers are full ARNs; collections are tuples.

A record is a JSON document in the journal: new fields must have defaults.
"""
