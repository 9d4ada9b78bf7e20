"""Reading a PennyLane QNode: how it is called, its tapes, its angles, and the program that they are."""
