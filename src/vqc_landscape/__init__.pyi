from .circuits.ansatz import layered as layered
from .circuits.ansatz import reuploading as reuploading
from .circuits.ansatz import reuploading_published as reuploading_published
from .circuits.ansatz import rx_product as rx_product
from .circuits.observables import PauliSum as PauliSum
from .circuits.observables import PauliZ as PauliZ
from .circuits.observables import Projector as Projector
from .circuits.observables import local_projector as local_projector
from .circuits.observables import plus_state as plus_state
from .circuits.observables import zero_state as zero_state
from .circuits.pennylane import apply_circuit as apply_circuit
from .circuits.program import Circuit as Circuit
from .circuits.program import FixedGate as FixedGate
from .circuits.program import Rotation as Rotation
from .circuits.program import Term as Term
from .curvature.param_shift import param_shift_hessian as param_shift_hessian
from .curvature.spectrum import Spectrum as Spectrum
from .curvature.spectrum import spectrum as spectrum
from .objectives.circuit import CircuitRisk as CircuitRisk
from .objectives.from_qnode import from_qnode as from_qnode
from .objectives.network import NetworkRisk as NetworkRisk
from .tables import read_table as read_table

__version__: str
