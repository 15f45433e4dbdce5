"""The Web API, a module per family; `table.METHODS` has them all by name.

A method takes a `Call` and returns the fields of its success answer, or raises `SlackError`.
"""
