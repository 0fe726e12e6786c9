"""What goes over the wire, in or out."""

from __future__ import annotations

from pydantic import ConfigDict

from msw_ml.session import Value


class Wire(Value):
    """A value of the HTTP interface: what stands beneath a field is also said in the interface's description."""

    model_config = ConfigDict(use_attribute_docstrings=True)
