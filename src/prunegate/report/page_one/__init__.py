"""Page one: the whole decision on one A4 page, for people who are no engineers.

Every module here makes one part of it, as finished text in the reader's language; ``page.py`` puts
them together. Nothing here decides: what a part says follows from the record's fields.
"""
