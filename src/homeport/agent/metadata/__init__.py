"""What a container asks at 169.254.170.2: facts about its task, credentials of its role.

``endpoint.TaskEndpoint`` is the way in. Paths, members and error texts follow the official agent
(``ecs-agent/tmds``) and the ECS developer guide, "Task metadata endpoint version 4".
"""
