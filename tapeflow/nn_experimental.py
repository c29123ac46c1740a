"""`tf.nn.experimental`: dropout without hidden state."""

from typing import NoReturn

from .ops.dropout import general_dropout, stateless_dropout

__all__ = ["general_dropout", "stateless_dropout"]


def __getattr__(name: str) -> NoReturn:
    from .compat.nearest import missing

    raise missing(__name__, name)
