"""Stored files: a folder or object storage, digests, and the base class of cards.

What a card contains is decided by the stage that makes the file.
"""
