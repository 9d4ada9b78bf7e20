"""Compile the second derivatives: what :class:`engine.Engine` has a process of its own do, where nothing is cached."""

from vqc_landscape.circuits.ansatz import rx_product
from vqc_landscape.circuits.observables import PauliZ
from vqc_landscape.simulator.cpu.engine import Engine

Engine(rx_product(1, 1), PauliZ(0)).compile_second_order()
