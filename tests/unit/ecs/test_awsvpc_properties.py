"""Whatever happens in whatever order, an interface is there exactly while its task is."""

from __future__ import annotations

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from service_world import ServiceWorld, network

from homeport.domain.task import Task
from homeport.store.schema import NETWORK_INTERFACES, SUBNETS, TASKS

number = st.integers(0, 50)


class Life(RuleBasedStateMachine):
    """A service and tasks of nobody, in subnets of eleven addresses and more."""

    def __init__(self) -> None:
        super().__init__()
        self.world = ServiceWorld()
        self.world(
            "CreateService",
            serviceName="web",
            taskDefinition="vpc",
            desiredCount=3,
            networkConfiguration=network("subnet-a", "subnet-b"),
        )

    def task(self, number: int) -> Task:
        tasks = self.world.tasks()
        return tasks[number % len(tasks)]

    @rule()
    def the_controllers_act(self) -> None:
        self.world.act()

    @rule(count=st.integers(1, 6))
    def tasks_are_run(self, count: int) -> None:
        request = {"taskDefinition": "vpc", "networkConfiguration": network()}
        self.world("RunTask", count=count, **request)

    @precondition(lambda self: self.world.tasks())
    @rule(number=number)
    def an_agent_starts_one(self, number: int) -> None:
        self.world.run(self.task(number))

    @precondition(lambda self: self.world.tasks())
    @rule(number=number)
    def an_agent_reports_its_end(self, number: int) -> None:
        self.world.report(self.task(number).arn, "STOPPED")

    @precondition(lambda self: self.world.rows(TASKS))
    @rule(number=number)
    def an_agent_repeats_itself(self, number: int) -> None:
        tasks = sorted(self.world.rows(TASKS), key=lambda t: t.arn)
        task = tasks[number % len(tasks)]
        if task.interface is not None:
            self.world.run(task)

    @precondition(lambda self: self.world.tasks())
    @rule(number=number)
    def somebody_stops_one(self, number: int) -> None:
        self.world("StopTask", task=self.task(number).arn)

    @rule(subnets=st.sampled_from([("subnet-a",), ("subnet-b",), ("subnet-b", "subnet-a")]))
    def the_service_moves(self, subnets: tuple[str, ...]) -> None:
        request = {"service": "web", "networkConfiguration": network(*subnets)}
        self.world("UpdateService", **request)

    @rule(count=st.integers(0, 8))
    def the_service_is_scaled(self, count: int) -> None:
        self.world("UpdateService", service="web", desiredCount=count)

    @rule()
    def the_host_is_lost_and_another_comes(self) -> None:
        for arn in self.world("ListContainerInstances")["containerInstanceArns"]:
            self.world("DeregisterContainerInstance", containerInstance=arn, force=True)
        self.world.register("b")

    @rule()
    def the_control_plane_is_killed(self) -> None:
        self.world.restart()

    @rule(seconds=st.sampled_from([1.0, 60.0, 301.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @invariant()
    def an_interface_for_every_task_that_has_not_stopped(self) -> None:
        interfaces = self.world.rows(NETWORK_INTERFACES)
        living = {t.arn: t for t in self.world.tasks()}
        assert {i.task_arn for i in interfaces} == living.keys()
        assert len(interfaces) == len(living)
        for interface in interfaces:
            attachment = living[interface.task_arn].interface
            assert attachment is not None
            assert attachment.private_ip_address == interface.private_ip_address
            assert attachment.arn == interface.description

    @invariant()
    def an_address_is_held_once(self) -> None:
        interfaces = self.world.rows(NETWORK_INTERFACES)
        addresses = {i.private_ip_address: i.description for i in interfaces}
        assert len(addresses) == len(interfaces)
        subnets = {s.subnet_id for s in self.world.rows(SUBNETS)}
        assert {i.subnet_id for i in interfaces} <= subnets
        for task in self.world.rows(TASKS):
            if task.last_status == "STOPPED" and task.interface is not None:
                assert task.interface.status == "DELETED"

    def teardown(self) -> None:
        """In the end, when all is stopped and seen, no address is held."""
        self.the_service_is_scaled(0)
        for _ in range(3):
            self.world.act()
            for task in self.world.tasks():
                self.world("StopTask", task=task.arn)
                self.world.report(task.arn, "STOPPED")
        self.world.act()
        assert self.world.rows(NETWORK_INTERFACES) == []
        assert msgspec.json.encode(self.world.rows(TASKS))


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
