"""Makes tasks and ends them: the writes that operations and controllers share.

Owns every new ``Task`` record (``launch``), every wish that a task stop (``stop``) and every
line of a service's events (``events``). Called by the ECS operations (RunTask, StartTask,
StopTask, DeregisterContainerInstance) and by the service controllers. Decides nothing itself:
it takes the snapshot, asks ``homeport.decide`` and writes the answer in the caller's transaction.

Invariant: a task record is created holding its resources on a chosen instance, and from then on
its status only moves forward.
"""
