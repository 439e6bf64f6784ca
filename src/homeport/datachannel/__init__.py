"""The data channel of a session: what a client of ``execute-command`` and an agent say to each
other through ``ssmmessages``. It opens no sockets and has no wall clock of its own.

``messages``: the binary frame. ``contents``: the JSON inside. ``stream``: order, acknowledgement
and retransmission, as both ends keep them. Used by the agent (``homeport.agent.execute``), the
relay (``homeport.sessionlink``) and the client (``homeport.execute``).

::

    client                          relay                           agent
      │ ── token (text) ─────────────▶│◀───────────── token (text) ── │
      │ ◀──────────── output_stream_data: handshake request ───────── │
      │ ── input_stream_data: handshake response ───────────────────▶ │
      │ ◀──────────── output_stream_data: handshake complete ──────── │
      │ ── input_stream_data ───────────────▶  ◀── output_stream_data │   each acknowledged
      │ ◀── channel_closed ── │ ◀── agent_session_state Terminating ── │

Source: ``src/message`` of aws/session-manager-plugin, ``agent/session`` of aws/amazon-ssm-agent.
"""
