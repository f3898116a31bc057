"""Sorting of shards by Apache Spark: what AIStore calls dSort.

The modules `spark_*` run in a process of Spark's own (`engine.py` packs them), on hosts that may
have nothing but Python, its standard library and PySpark; they import nothing else of the gateway.
"""
