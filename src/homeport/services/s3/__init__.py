"""S3, as far as environment files and tutorials need it: buckets and whole objects.

Called by the gateway. Owns the records of buckets and objects; an object never outlives its
bucket. Contents are sealed and live in the object store. No versions, no parts, no policies, no
lists of who may do what: what a request asks of these is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.services.call import Handler

from . import buckets, listing, objects

OPERATIONS: Mapping[str, Handler] = {
    **buckets.OPERATIONS,
    **objects.OPERATIONS,
    **listing.OPERATIONS,
}
