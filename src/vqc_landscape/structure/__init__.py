"""What a function of a circuit can depend on: light cones, structural zeros, and the parameters that are left."""
