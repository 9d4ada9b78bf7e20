"""One shard of the Hessians of a block of epochs."""

from vqc_landscape.config import Experiment, ShardsConfig
from vqc_landscape.studies.hessians import write_shard
from vqc_landscape.studies.jobs import job

with job("{experiment} seed {seed}, Hessians {block}, shard {shard}".format(**snakemake.wildcards), snakemake.log[0]):
    write_shard(
        Experiment(**snakemake.params.settings),
        ShardsConfig(**snakemake.params.shards),
        int(snakemake.wildcards.shard),
        snakemake.params.epochs,
        snakemake.input.trajectory,
        snakemake.input.get("dataset"),
        snakemake.output[0],
    )
