"""API operations: a folder per AWS service, a file per noun.

An operation is a plain function of a ``Call`` and the decoded request; it reads and writes
the one open transaction and returns the response document. It never calls a controller.
"""
