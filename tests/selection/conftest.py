from support.foreign_warnings import pytest_itemcollected

__all__ = ["pytest_itemcollected"]
