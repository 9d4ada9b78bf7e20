"""The paper's figures, drawn from the tables; ``registry.FIGURES`` lists them.

Matplotlib is imported by the drawing modules only, so that ``figures.registry`` stays light.
"""
