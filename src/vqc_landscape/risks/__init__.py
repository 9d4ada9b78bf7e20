"""Risk = model + loss + data: loss, gradient, Hessian; and the doors by which circuits, networks and QNodes come in."""
