"""Where the work of a run is done: in this process, in processes of its own, or on a cluster.

A run is cut into units (`units`): an extractor named, a part extracted, a model fitted and asked
for scores, the cells of a method judged. Whoever works on one reads features from the cache and
writes scorings and cells into the run's folder, so what is made once is there for everybody.
"""
