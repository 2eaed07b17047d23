"""The wildcards of RAM policies: `*` is any run of characters, `?` exactly one.

Source: https://www.alibabacloud.com/help/en/ram/conditional-operator
"""


def matches(pattern: str, text: str) -> bool:
    """Tell whether a pattern covers the whole text.

    Written as a scan with one point to return to: a translation into a regular expression would let a policy of a
    few dozen stars hold a thread for hours.
    """
    position = begin = 0
    star = -1
    mark = 0
    while position < len(text):
        if begin < len(pattern) and pattern[begin] == "*":
            star, mark = begin, position
            begin += 1
        elif begin < len(pattern) and pattern[begin] in ("?", text[position]):
            begin += 1
            position += 1
        elif star >= 0:
            mark += 1
            begin, position = star + 1, mark
        else:
            return False
    return all(character == "*" for character in pattern[begin:])
