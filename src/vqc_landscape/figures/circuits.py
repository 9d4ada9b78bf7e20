"""Figs. 1 and 8: circuit diagrams, drawn from the circuit objects that are computed.

PennyLane's ``draw_mpl`` was tried first: it names every rotation ``Rot``, so that data and weights look
alike, it cannot shorten a deep circuit, and it draws on no axes but its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Rectangle

from vqc_landscape.circuits import ansatz
from vqc_landscape.circuits.program import Circuit, FixedGate, Gate, Rotation
from vqc_landscape.config import Classification, Experiment
from vqc_landscape.figures import labels, style
from vqc_landscape.figures.data import FigureData

INCHES = 0.45  # of one column, and of one wire, of a diagram
MARGIN = 0.8  # wires' worth of height for the names of the layers
READING = "Small numbers: indices of the parameters. Two joined dots: CZ. Meter: measured qubit."
DATA_COLOUR = style.COLOURS["yellow"]


@dataclass
class Box:
    """Rotations of one qubit that are drawn as one box, e.g. RZ RY RZ as ``R(w)``."""

    column: int
    wire: int
    rotations: list[Rotation] = field(default_factory=list)

    def takes(self, gate: Rotation) -> bool:
        """Whether ``gate`` goes into this box: same label, and not the same axis again (that starts the next one)."""
        last = self.rotations[-1]
        return gate.label == last.label and gate.word != last.word

    @property
    def params(self) -> list[int]:
        """Indices of the parameters inside, ascending."""
        terms = [term for rotation in self.rotations for term in rotation.angle]
        return sorted({term.param for term in terms if term.param is not None})

    @property
    def has_data(self) -> bool:
        """Whether a feature enters."""
        return any(term.feature is not None for rotation in self.rotations for term in rotation.angle)


def draw_state_preparation_circuits(data: FigureData) -> Figure:
    """Fig. 1: the circuits of the toy model and of the state preparation."""
    circuits = [circuit_of(experiment) for experiment in data.experiments.values()]
    heights = [circuit.n_qubits + MARGIN for circuit in circuits]
    figure = style.new_figure(height=INCHES * sum(heights) + 1.3, width=6.5)
    panels = figure.subplots(len(circuits), 1, height_ratios=heights, squeeze=False)[:, 0]
    for letter, ax, experiment, circuit in zip("ab", panels, data.experiments.values(), circuits, strict=False):
        plot_circuit(circuit, ax, measured=measured_wires(experiment))
        style.panel_title(ax, letter, labels.model(experiment))
    longest = max(ax.get_xlim()[1] for ax in panels)
    for ax in panels:
        ax.set_xlim(right=longest)  # one scale in both panels
    style.caption(
        figure,
        "The circuits of the state preparation",
        f"RX and R(a, b, c) = RZ(c) RY(b) RZ(a) are rotations exp(−i·angle·P/2). {READING}",
    )
    return figure


def draw_reuploading_circuit(data: FigureData) -> Figure:
    """Fig. 8: the quantum classifier; of many layers the first two (the brick pattern repeats after two)."""
    experiment = data.first
    circuit = circuit_of(experiment)
    figure = style.new_figure(height=INCHES * (circuit.n_qubits + MARGIN) + 1.2, width=5.6)
    plot_circuit(circuit, figure.add_subplot(), measured=measured_wires(experiment), n_layers=2)
    style.caption(
        figure,
        "The data re-uploading circuit",
        labels.summary(experiment),
        f"R(a, b, c) = RZ(c) RY(b) RZ(a), rotations exp(−i·angle·P/2); shaded: its angles are features. {READING}",
    )
    return figure


def plot_circuit(
    circuit: Circuit, ax: Axes | None = None, *, measured: Sequence[int] = (), n_layers: int | None = None
) -> None:
    """Diagram of a circuit, time from left to right.

    Args:
        circuit: the program.
        ax: where to draw; default: a new figure.
        measured: wires that end in a meter.
        n_layers: draw so many layers and say that they go on; default: all.
    """
    ax = style.axes_or_new(ax)
    layers = split_layers(circuit)
    column = 0
    for number, layer in enumerate(layers[:n_layers], start=1):
        start, (boxes, links, column) = column, place(layer, column, circuit.n_qubits)
        for box in boxes:
            _draw_box(ax, box)
        for at, gate in links:
            _draw_link(ax, at, gate)
        _draw_brace(ax, start, column - 1, f"layer {number}")
    cut = n_layers is not None and n_layers < len(layers)
    if cut:
        _draw_brace(ax, column, column, f"… {len(layers)} layers")
        column += 1
    for wire in range(circuit.n_qubits):
        ax.plot([-0.8, column - 0.3], [wire, wire], color="black", linewidth=0.6, zorder=0)
        ax.text(-0.9, wire, f"qubit {wire}: |0⟩", ha="right", va="center", fontsize=7)
        if cut:
            ax.text(column - 1, wire, "⋯", ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none"})
        if wire in measured:
            _draw_meter(ax, column, wire)
    ax.set(xlim=(-2.6, column + 0.5), ylim=(circuit.n_qubits - 0.4, -0.4 - MARGIN), aspect="equal", anchor="W")
    ax.set_axis_off()


def split_layers(circuit: Circuit) -> list[list[Gate]]:
    """The program cut into its layers, of which each holds an equal share of the parameters.

    Gates without a parameter follow the layer before them if fixed (the entangler), and open the layer
    after them if they load data.
    """
    per_layer = circuit.n_params // circuit.shape[0]
    layers: list[list[Gate]] = [[] for _ in range(circuit.shape[0])]
    waiting: list[Gate] = []
    current = 0
    for gate in circuit.gates:
        if isinstance(gate, FixedGate):
            layers[current] += [*waiting, gate]
            waiting = []
            continue
        params = [term.param for term in gate.angle if term.param is not None]
        waiting.append(gate)
        if params:
            current = min(params) // per_layer
            layers[current] += waiting
            waiting = []
    layers[current] += waiting
    return layers


def place(layer: Sequence[Gate], start: int, n_qubits: int) -> tuple[list[Box], list[tuple[int, Gate]], int]:
    """Columns for the gates of a layer, each as far left as its wires allow.

    Returns:
        Boxes of one-qubit rotations; (column, gate) of all other gates; the first free column after the layer.
    """
    free = [start] * n_qubits
    open_boxes: dict[int, Box] = {}
    boxes, links = [], []
    for gate in layer:
        first, last = min(gate.wires), max(gate.wires)
        box = open_boxes.get(first)
        if isinstance(gate, Rotation) and first == last and box is not None and box.takes(gate):
            box.rotations.append(gate)
            continue
        column = max(free[first : last + 1])  # a link must not run through what lies between its wires
        free[first : last + 1] = [column + 1] * (last + 1 - first)
        if isinstance(gate, Rotation) and first == last:
            open_boxes[first] = Box(column, first, [gate])
            boxes.append(open_boxes[first])
        else:
            links.append((column, gate))
            for wire in range(first, last + 1):
                open_boxes.pop(wire, None)
    return boxes, links, max(free)


def circuit_of(experiment: Experiment) -> Circuit:
    """The circuit that the experiment computes."""
    assert experiment.circuit is not None
    build = getattr(ansatz, experiment.circuit.ansatz)  # the functions there have the names of the configuration
    circuit: Circuit = build(experiment.circuit.n_qubits, experiment.circuit.n_layers)
    return circuit


def measured_wires(experiment: Experiment) -> list[int]:
    """Wires that the loss looks at: one for a prediction, all for a target state."""
    assert experiment.circuit is not None
    if isinstance(experiment.objective, Classification):
        return [experiment.objective.wire]
    return list(range(experiment.circuit.n_qubits))


def _draw_box(ax: Axes, box: Box) -> None:
    colour = DATA_COLOUR if box.has_data else "white"
    ax.add_patch(Rectangle((box.column - 0.4, box.wire - 0.36), 0.8, 0.72, facecolor=colour, edgecolor="black"))
    ax.text(
        box.column, box.wire - 0.09 * bool(box.params), box.rotations[0].label, ha="center", va="center", fontsize=7
    )
    if box.params:
        ends = sorted({box.params[0], box.params[-1]})
        ax.text(box.column, box.wire + 0.23, "–".join(map(str, ends)), ha="center", va="center", fontsize=5)


def _draw_link(ax: Axes, column: int, gate: Gate) -> None:
    """A gate on several wires: dots for CZ, its name on each wire for any other."""
    ax.plot([column, column], [min(gate.wires), max(gate.wires)], color="black", linewidth=1, zorder=1)
    name = gate.name if isinstance(gate, FixedGate) else gate.label
    for wire in gate.wires:
        if name == "CZ":
            ax.plot(column, wire, "o", color="black", zorder=3)
        else:
            ax.text(column, wire, name, ha="center", va="center", bbox={"facecolor": "white"}, fontsize=7)


def _draw_meter(ax: Axes, column: int, wire: int) -> None:
    ax.add_patch(Rectangle((column - 0.4, wire - 0.36), 0.8, 0.72, facecolor="white", edgecolor="black"))
    ax.add_patch(Arc((column, wire + 0.18), 0.5, 0.5, theta1=180, theta2=360))
    ax.plot([column, column + 0.2], [wire + 0.18, wire - 0.24], color="black", linewidth=0.8)


def _draw_brace(ax: Axes, first: float, last: float, text: str) -> None:
    ax.plot([first - 0.35, last + 0.35], [-0.6, -0.6], color=style.MUTED, linewidth=0.6)
    ax.text((first + last) / 2, -0.7, text, ha="center", va="bottom", color=style.MUTED, fontsize=7)
