"""On which instance does a task go?

In AWS's order: resources, then constraints (binding), then strategies (best effort), then the
order the caller gave. Every refusal has a reason. Source: "How Amazon ECS places tasks on
container instances", developer guide.
"""

from .candidate import CandidateInstance, TaskToPlace
from .place import Placed, PlacementRules, Refusal, Unplaceable, place

__all__ = [
    "CandidateInstance",
    "Placed",
    "PlacementRules",
    "Refusal",
    "TaskToPlace",
    "Unplaceable",
    "place",
]
