"""AWS wire protocols, compiled from botocore's service models; knows no service of ours.

Owns routing, SigV4, decoding of requests, encoding of answers and errors, paging tokens.
Called by the gateway; services import only ``errors`` and ``paging``. Invariant: whatever a
client sends, decoding returns a document of the model's types or raises ``ApiError``.
"""
