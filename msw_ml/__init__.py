"""msw_ml: a recorded visit in, a scored session out.

The corridor is speech → coding → rating → report; `msw_ml.pipeline` is its diagram in code.
"""

__version__ = "0.1.0"
