"""awsvpc on this host: one network namespace a task, an interface with an address of its subnet
in it, routes to the addresses on other hosts, and security groups in force.

::

    EC2 API ──poll──▶ vpc.Vpc ──rules, routes──▶ nft, ip
                        ▲
    a task to start ──▶ sandbox.Sandboxes ──pause container, veth pair──▶ Docker Engine, ip

Everything is learned from the public EC2 API; needs root. An address can live on any host: each
host has a /32 route to every address, through the host where it lives.
"""
