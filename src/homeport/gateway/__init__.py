"""The front door: one ASGI app, one visible list of steps per request.

Owns authentication, authorization, the transaction around an operation and the shape of every
refusal. Called by the HTTP server; calls the wire, the operations and the agent link.
Invariant: an answer that is a success is sent after its transaction is durable.
"""
