"""Cost that depends on itself."""

from graphlib import CycleError, TopologicalSorter


def find_loop(pairs):
    """Return entry ids whose cost depends on each other, in order, or ``[]``.

    ``pairs``: ids of a decrease and of a decrease that takes its cost. The first id is
    repeated at the end.
    """
    graph = TopologicalSorter()
    for source_id, follower_id in pairs:
        graph.add(follower_id, source_id)
    try:
        graph.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
