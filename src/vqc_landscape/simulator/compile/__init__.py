"""From a circuit and what is measured of it to the arrays that every engine reads."""
