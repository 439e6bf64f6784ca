"""Homeport: the open control plane for Amazon ECS."""
