"""A bill of materials in CycloneDX, and the list of licenses, of an image that was built."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from lectern_images.packages import DEB, Package
from lectern_images.tree import EPOCH

_PLACE = "lectern:folder"


def bill(reference: str, digest: str, packages: Iterable[Package]) -> str:
    """Return the bill of an image as JSON, the same for the same image.

    Args:
        reference: the image's whole name.
        digest: its digest.
        packages: what it holds.
    """
    subject = Component(
        type=ComponentType.CONTAINER, name=reference, version=digest, bom_ref=digest
    )
    components = [_component(package) for package in packages]
    made = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, digest),
        metadata=BomMetaData(component=subject, timestamp=datetime.fromtimestamp(EPOCH, UTC)),
        components=components,
    )
    made.register_dependency(subject, components)
    return JsonV1Dot6(made).output_as_string(indent=1) + "\n"


def _component(package: Package) -> Component:
    scope, _, name = package.name.rpartition("/")
    address = PackageURL(
        type=package.kind,
        namespace="debian" if package.kind == DEB else scope or None,
        name=name,
        version=package.version,
    )
    licenses = LicenseFactory()
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=address,
        bom_ref=f"{address}#{package.place}" if package.place else str(address),
        licenses=[licenses.make_with_name(name) for name in package.licenses],
        properties=[Property(name=_PLACE, value=package.place)] if package.place else [],
    )


def license_list(packages: Iterable[Package]) -> str:
    """Return the licenses of an image as lines of package, version and licenses."""
    rows: Mapping[str, str] = {
        f"{row.kind} {row.name} {row.version}": ", ".join(row.licenses) or "see its own files"
        for row in packages
    }
    return "".join(f"{key}: {value}\n" for key, value in sorted(rows.items()))
