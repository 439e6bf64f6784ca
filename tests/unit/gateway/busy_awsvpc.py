"""awsvpc tasks and a service of them, for the world that fuzzing begins from."""

from __future__ import annotations

from acting_world import World


def awsvpc(world: World) -> None:
    """A task whose interface is attached, one whose interface is gone, a service of them."""
    ecs, ec2 = world.client("ecs"), world.client("ec2")
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]]
    groups = ec2.describe_security_groups(GroupNames=["web"])["SecurityGroups"]
    network = {
        "awsvpcConfiguration": {
            "subnets": subnets,
            "securityGroups": [groups[0]["GroupId"]],
            "assignPublicIp": "DISABLED",
        }
    }
    container = {
        "name": "web",
        "image": "busybox",
        "memory": 16,
        "portMappings": [{"containerPort": 80}],
    }
    ecs.register_task_definition(
        family="own-address", networkMode="awsvpc", containerDefinitions=[container]
    )
    tasks = ecs.run_task(taskDefinition="own-address", networkConfiguration=network, count=2)
    assert len(tasks["tasks"]) == 2, tasks["failures"]
    for task in tasks["tasks"]:
        prefix = task["taskArn"].partition(":task/")[0]
        arn = f"{prefix}:attachment/{task['attachments'][0]['id']}"
        report = [{"attachmentArn": arn, "status": "ATTACHED"}]
        ecs.submit_attachment_state_changes(attachments=report)
        ecs.submit_task_state_change(attachments=report, task=task["taskArn"], status="RUNNING")
    ecs.submit_task_state_change(task=tasks["tasks"][0]["taskArn"], status="STOPPED")
    service = {
        "taskDefinition": "own-address",
        "desiredCount": 1,
        "networkConfiguration": network,
    }
    ecs.create_service(serviceName="own-address", **service)
    with world.held_back():
        ecs.create_service(serviceName="another", **service)
    world.act()
    ecs.update_service(
        service="own-address",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets[:1]}},
    )
    world.act()
    filters = [{"Name": "group-id", "Values": [groups[0]["GroupId"]]}]
    found = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    ids = [interface["NetworkInterfaceId"] for interface in found if "Attachment" in interface]
    assert len(ec2.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"]) >= 2
