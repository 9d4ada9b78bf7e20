"""The list of figures: drawing function, tables, views of the page, category, caption, and what each needs."""

from __future__ import annotations

from vqc_landscape.figures import needs
from vqc_landscape.figures.figure import BEYOND, CONVENTIONS, ONE, PAPER, Figure

_CONVENTIONS = needs.SAME_MODEL_BUT_CONVENTION
_MAPS = ("datasets", "trajectories", "spectra", "predictions")

FIGURES: dict[str, Figure] = {
    "fig01": Figure(
        draw="figures.circuits.draw_state_preparation_circuits",
        reads=(),
        views=(),
        category=PAPER,
        caption=(
            "The two circuits of the state preparation: (a) RX product circuit, (b) layers of rotations and CZ "
            "bricks. Both are drawn from the objects that are computed with."
        ),
        needs=(needs.STATE_PREPARATION,),
        n_experiments=(2, 2),
    ),
    "fig02": Figure(
        draw="figures.landscapes.draw_landscape",
        reads=("landscapes",),
        views=("landscape",),
        category=PAPER,
        caption=(
            "Loss of the RX product circuit, global loss with target ``|0...0>``, over a plane of two parameters "
            "(all others 0), and the eigenvalues of the Hessian at the marked points."
        ),
        needs=(needs.MARKED_POINTS,),
    ),
    "fig03": Figure(
        draw="figures.landscapes.draw_landscape",
        reads=("landscapes",),
        views=("landscape",),
        category=PAPER,
        caption=(
            "The same plane for the local loss, the mean over qubits of the one-qubit infidelities. Gradient and "
            "Hessian never vanish together."
        ),
        needs=(needs.MARKED_POINTS,),
    ),
    "fig04": Figure(
        draw="figures.landscapes.draw_landscapes_compared",
        reads=("landscapes",),
        views=("landscape",),
        category=PAPER,
        caption=(
            "Target ``|+...+>``. The exact loss is constant, because that state is an eigenvector of every RX; the "
            "arithmetic of the published code, Re(z^2) for the squared magnitude of z, gives the valley of the "
            "printed figure."
        ),
        needs=(needs.MARKED_POINTS, *_CONVENTIONS),
        n_experiments=(2, 2),
    ),
    "fig05": Figure(
        draw="figures.spectra.draw_spectra_along_training",
        reads=("trajectories", "spectra"),
        views=("spectrum",),
        category=PAPER,
        caption=(
            "Eigenvalues of the Hessian along the training of the layered circuit. Structural zeros, which the "
            "architecture forces at every point, are marked."
        ),
    ),
    "fig06": Figure(
        draw="figures.spectra.draw_eigenvector_scans",
        reads=("scans",),
        views=(),
        category=PAPER,
        caption="Loss along eigenvectors of the Hessian at the end of the training, each labelled by its eigenvalue.",
    ),
    "fig07": Figure(
        draw="figures.classifier.draw_data",
        reads=("datasets",),
        views=(),
        category=PAPER,
        caption="The training samples: uniform on the square, class +1 inside the disk of radius sqrt(2/pi).",
        needs=(needs.DISK,),
    ),
    "fig08": Figure(
        draw="figures.circuits.draw_reuploading_circuit",
        reads=(),
        views=(),
        category=PAPER,
        caption="The data re-uploading circuit, drawn from the object that is computed with.",
        needs=(needs.REUPLOADING,),
    ),
    "fig09": Figure(
        draw="figures.classifier.draw_prediction_maps",
        reads=_MAPS,
        views=("maps", "spectrum"),
        category=PAPER,
        caption=(
            "Predictions of the QNN at its random start and after training; inset the spectrum of the Hessian over "
            "the whole training set."
        ),
        needs=(needs.DISK, needs.SPECTRA_OF_MAPS),
    ),
    "fig10": Figure(
        draw="figures.classifier.draw_prediction_maps",
        reads=_MAPS,
        views=("maps", "spectrum"),
        category=PAPER,
        caption=(
            "Predictions of the classical network at its random start and after training; inset the spectrum of the "
            "Hessian over the whole training set."
        ),
        needs=(needs.DISK, needs.SPECTRA_OF_MAPS),
    ),
    "fig11": Figure(
        draw="figures.optimisers.draw_optimisers",
        reads=("trajectories",),
        views=("curves",),
        category=PAPER,
        caption=(
            "Loss from the same initial points under gradient descent, natural gradient and 1/lambda_max: single "
            "seeds, and median and spread over all seeds."
        ),
        needs=(needs.NO_NEGATIVE_LOSS, *needs.SAME_MODEL, needs.SAME_CONVENTION, needs.SHARED_SEED),
        n_experiments=(1, needs.N_CURVES),
        n_seeds=4,  # panels of 1.4 inches: chosen by us
        all_seeds=True,
    ),
    "fig05_conventions": Figure(
        draw="figures.spectra.draw_spectra_compared",
        reads=("trajectories", "spectra", "convention_errors"),
        views=("spectrum",),
        category=CONVENTIONS,
        caption=(
            "Fig. 5 with the exact loss and with the published code's, from the same initial point. That code has "
            "Re(z^2) for the squared magnitude of z = <target|psi>. Below, the relative error of its Hessian and of "
            "its eigenvalues at the parameters of its own training."
        ),
        needs=(*_CONVENTIONS, *needs.SAME_TRAINING, needs.SAME_HESSIAN_EPOCHS),
        n_experiments=(2, 2),
    ),
    "fig06_conventions": Figure(
        draw="figures.spectra.draw_scans_compared",
        reads=("scans", "convention_errors"),
        views=(),
        category=CONVENTIONS,
        caption=(
            "Fig. 6 with the exact loss and with the published code's: each along eigenvectors of its own Hessian "
            "at the end of its own training, from the same initial point."
        ),
        needs=(*_CONVENTIONS, *needs.SAME_TRAINING),
        n_experiments=(2, 2),
    ),
    "fig09_conventions": Figure(
        draw="figures.classifier.draw_prediction_maps_compared",
        reads=(*_MAPS, "convention_errors"),
        views=("spectrum",),
        category=CONVENTIONS,
        caption=(
            "Fig. 9 with exact derivatives and with the published code's, which takes the bra of the expectation "
            "value as a constant: predictions and losses are right, gradients are exactly half, and the Hessian is "
            "another matrix."
        ),
        needs=(needs.DISK, needs.SPECTRA_OF_MAPS, *_CONVENTIONS, *needs.SAME_TRAINING, needs.SAME_MAP_EPOCHS),
        n_experiments=(2, 2),
    ),
    "flat_starts": Figure(
        draw="figures.sizes.draw_flat_starts",
        reads=("starts",),
        views=(),
        category=BEYOND,
        caption=(
            "Curvature of the RX product circuit against its number of qubits, at random and near the minimum, and "
            "the share of flat random starts of it and of the layered circuit."
        ),
        needs=(needs.GLOBAL_INFIDELITY, *needs.GORGE),
        n_experiments=(3, 3),
    ),
    "final_losses": Figure(
        draw="figures.optimisers.draw_final_losses",
        reads=("trajectories",),
        views=(),
        category=BEYOND,
        caption="The last loss of every run of every optimiser from the same initial points.",
        needs=(needs.COMPARABLE_INFIDELITY, *needs.SAME_MODEL, needs.SAME_CONVENTION),
        n_experiments=(1, None),
        n_seeds=0,
        all_seeds=True,
    ),
    "hessian_cost": Figure(
        draw="figures.sizes.draw_hessian_cost",
        reads=("shift_rule",),
        views=(),
        category=BEYOND,
        caption=(
            "Circuit runs of the Hessian by the double shift rule and of the metric tensor, against the number of "
            "parameters."
        ),
    ),
    "spectra_over_seeds": Figure(
        draw="figures.seeds.draw_spectra_over_seeds",
        reads=("ensembles",),
        views=(),
        category=BEYOND,
        caption=(
            "Spectra over many initial points: the largest eigenvalue of the QNN and of classical networks before "
            "and after training, the tail of positive eigenvalues, and how the fluctuation falls with the size of "
            "the network."
        ),
        needs=(needs.ONE_CIRCUIT, *needs.SAME_DATA, needs.SAME_ENSEMBLE_EPOCHS, needs.TWO_SEEDS, needs.WHOLE_SPECTRUM),
        n_experiments=(1, needs.N_CURVES),
        n_seeds=0,
        all_seeds=True,
    ),
    "curvature_of_samples": Figure(
        draw="figures.samples.draw_curvature_of_samples",
        reads=("samples",),
        views=(),
        category=BEYOND,
        caption=(
            "The Hessians of single training samples of the trained models: their signs and sizes against the "
            "prediction, and what each sample adds to the leading eigenvalues of the risk."
        ),
        needs=(needs.ONE_CIRCUIT, *needs.SAME_DATA, needs.SAME_SAMPLE_EPOCH),
        n_experiments=(1, needs.N_CURVES),
        n_seeds=0,
        all_seeds=True,
    ),
    "compare": Figure(
        draw="figures.compare.draw_comparison",
        reads=("trajectories",),
        views=(),
        category=BEYOND,
        caption=(
            "Training runs side by side: every seed, the median and the quartiles, against epochs or gradients, one "
            "panel for each kind of loss."
        ),
        n_experiments=(1, needs.N_CURVES),
        n_seeds=0,
        all_seeds=True,
    ),
}


# What an experiment can draw by itself; the figure is then called `experiment_kind`.
OF_AN_EXPERIMENT: dict[str, Figure] = {
    "training": Figure(
        draw="figures.experiment.draw_training",
        reads=("trajectories",),
        views=(),
        category=ONE,
        caption="Loss and norm of the gradient along the training, and the accuracy where there are data.",
    ),
    "spectra": Figure(
        draw="figures.spectra.draw_spectra_along_training",
        reads=("trajectories", "spectra"),
        views=("spectrum",),
        category=ONE,
        caption=(
            "Eigenvalues of the Hessian along the training. Structural zeros, which the circuit forces at every "
            "point, are marked."
        ),
    ),
    "tracks": Figure(
        draw="figures.experiment.draw_tracks",
        reads=("spectra",),
        views=(),
        category=ONE,
        caption=(
            "Eigenvalues followed from epoch to epoch by their eigenvectors, and the overlap of the space of the "
            "largest ones with that of the epoch before."
        ),
    ),
    "scans": Figure(
        draw="figures.spectra.draw_eigenvector_scans",
        reads=("scans",),
        views=(),
        category=ONE,
        caption="Loss along eigenvectors of the Hessian.",
    ),
    "planes": Figure(
        draw="figures.experiment.draw_planes",
        reads=("planes",),
        views=("planes",),
        category=ONE,
        caption=(
            "Loss on planes through the trained parameters: along two eigenvectors, along random directions, and "
            "along the principal components of the training run."
        ),
    ),
}
