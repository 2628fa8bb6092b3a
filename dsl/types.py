"""The types of values in playbooks, of profile fields and of event properties."""

from __future__ import annotations

from enum import StrEnum


class Type(StrEnum):
    """What a value is. In a plan each type has one JSON form, given here."""

    TEXT = "text"
    """a string"""
    NUMBER = "number"
    """an integer, or a float"""
    MONEY = "money"
    """an integer: hundredths of the store's currency"""
    PERCENT = "percent"
    """a float: 10% is 10.0"""
    YES_NO = "yes_no"
    """true or false"""
    DATE = "date"
    """a string, `2026-12-24`"""
    TIMESTAMP = "timestamp"
    """an integer: microseconds since 1970, UTC"""
    DURATION = "duration"
    """an integer: seconds"""
    TIME = "time"
    """a string, `09:00`"""
    LIST = "list"
    """a list of texts"""
    PRODUCT = "product"
    """an object of one product: product_id, name, price, quantity, category, brand, image_url, url"""
    PRODUCTS = "products"
    """a list of such objects"""
    ANY = "any"
    """not declared: compares as the type it is compared with"""
