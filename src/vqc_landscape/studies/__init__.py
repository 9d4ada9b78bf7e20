"""From a configuration to tables: the one place where circuits, data, training and curvature meet."""
