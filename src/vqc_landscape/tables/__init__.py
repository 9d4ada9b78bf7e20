"""The tables of a study: what each of them is (``registry.py``), and Parquet in and out (``parquet.py``).

A table is one folder of hive-partitioned part files, ``results/<table>/experiment=E/seed=S/*.parquet``,
so that ``pandas.read_parquet("results/spectra")`` is one table over everything. The part files hold
the columns of its record; ``experiment`` and ``seed`` come from the path. Of ensembles the seed is a column.
"""
